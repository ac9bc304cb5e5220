package app

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// buildProgram builds the product, for what cannot be done to a part of the test's own process. TestMain removes it.
var buildProgram = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("go", "build", "-o", programPath, "../../cmd/notification-controller").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the controller: %w: %s", err, output)
	}
	return programPath, nil
})

// programPath is where it is built.
var programPath = filepath.Join(os.TempDir(), fmt.Sprintf("notification-controller-%d", os.Getpid()))

// program is the product as a process of its own.
type program struct {
	t       *testing.T
	command *exec.Cmd
	ended   chan error
	// log is the file that its log goes to, unless it goes elsewhere.
	log                               string
	events, webhooks, metrics, health string
}

// launch starts the product with the rights of its ServiceAccount and waits until it is ready. Its log goes to stderr,
// or to a file if that is nil.
func launch(t *testing.T, cp *apitest.ControlPlane, stderr *os.File, args ...string) *program {
	t.Helper()
	path, err := buildProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &program{t: t, log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	p.events, p.webhooks, p.metrics, p.health = freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t)
	if stderr == nil {
		if stderr, err = os.Create(p.log); err != nil {
			t.Fatal(err)
		}
		defer stderr.Close()
	}
	p.command = exec.Command(path, append([]string{"--log-level=debug", "--events-addr=" + p.events, "--receiverAddr=" + p.webhooks,
		"--metrics-addr=" + p.metrics, "--health-addr=" + p.health, "--shutdown-delay=0"}, args...)...)
	p.command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig(t, cp, dir), "RUNTIME_NAMESPACE=flux-system")
	p.command.Stderr = stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(p.kill)
	eventually(t, "the program to be ready", func() error {
		resp, err := http.Get("http://" + p.health + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
	return p
}

// freeAddress is one that the kernel does not lend to outgoing connections, of which these tests have many.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, last = 20_000, 32_000
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// kubeconfig writes one with the rights of the controller's ServiceAccount.
func kubeconfig(t *testing.T, cp *apitest.ControlPlane, dir string) string {
	t.Helper()
	direct := cp.TokenConfig(t, "flux-system", "notification-controller")
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: direct.Host, CertificateAuthority: direct.CAFile, CertificateAuthorityData: direct.CAData}
	config.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: direct.BearerToken}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	path := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// kill is SIGKILL, and waits. It can be called again, and after wait.
func (p *program) kill() {
	_ = p.command.Process.Kill()
	p.ended <- <-p.ended
}

// terminate is SIGTERM, and waits. It fails the test unless the program then exits as it should.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		p.ended <- err
		if err != nil {
			p.t.Errorf("the program ended with: %v", err)
		}
	case <-time.After(time.Minute):
		p.t.Error("the program does not end")
	}
}

// post sends an event and returns the answer's status, or an error if there is none.
func (p *program) post(body string) (int, error) {
	resp, err := http.Post("http://"+p.events+"/", "application/json", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// get reads what one of its servers answers.
func (p *program) get(address, path string) string {
	p.t.Helper()
	resp, err := http.Get("http://" + address + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *program) tally() tally { return tallyOfMetrics(p.get(p.metrics, "/metrics")) }

// logged is the log so far. It tells no secrets.
func (p *program) logged() string {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	if bytes.Contains(text, []byte(planted)) {
		p.t.Error("the log tells a secret")
	}
	return string(text)
}
