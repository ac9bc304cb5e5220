// Package apitest runs tests against a real Kubernetes API server, with kubectl beside it.
//
// What it starts is etcd and kube-apiserver without the rest of Kubernetes; hack/controlplane says what that means. It
// builds them when needed, which takes about ten minutes the first time: longer than go test waits by default, so run
// hack/controlplane/build.sh before.
//
// A start takes about three seconds. Tests that neither stop nor fill the control plane can share one per package:
//
//	var controlPlane = sync.OnceValues(apitest.StartShared)
package apitest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// stopTimeout is when a control plane that was told to stop is killed.
const stopTimeout = 30 * time.Second

// ControlPlane is a Kubernetes API server of a test's own. Its methods may be called concurrently, but for those that
// start or stop it.
type ControlPlane struct {
	// binaries is the folder with controlplane and kubectl.
	binaries string
	// dir holds all that the control plane keeps.
	dir    string
	config *rest.Config

	// command is the running process, nil after Stop.
	command *exec.Cmd
	// stdin ends the process when it closes, as it does when the test's process ends, in whatever way.
	stdin io.Closer
	// stderr is for reading once the process has ended.
	stderr *bytes.Buffer
}

// Start starts a control plane for one test, which is over when the test is.
func Start(t testing.TB) *ControlPlane {
	t.Helper()
	c, err := StartShared()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// StartShared starts a control plane for several tests. It ends with their process, unless it is closed before.
func StartShared() (*ControlPlane, error) {
	binaries, err := build()
	if err != nil {
		return nil, fmt.Errorf("build the control plane: %w", err)
	}
	dir, err := os.MkdirTemp("", "apitest-")
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{binaries: binaries, dir: dir}
	if err := c.start("0"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c.config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.config.QPS = -1 // a test is not to wait for its own rate limit
	return c, nil
}

// Close ends the control plane and removes all that it kept.
func (c *ControlPlane) Close() error {
	return errors.Join(c.end(func() error { return c.stdin.Close() }), os.RemoveAll(c.dir))
}

// Kubeconfig returns the path of the kubeconfig of an administrator. It stays valid over a restart.
func (c *ControlPlane) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Config returns a client configuration of an administrator, the caller's to change, without a rate limit.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Pause makes the API server hang until Resume: connections stay open, and nothing is answered.
func (c *ControlPlane) Pause(t testing.TB) {
	t.Helper()
	c.signal(t, syscall.SIGSTOP)
}

// Resume ends a Pause.
func (c *ControlPlane) Resume(t testing.TB) {
	t.Helper()
	c.signal(t, syscall.SIGCONT)
}

// Stop stops the API server until Restart: connections close, and new ones are refused.
func (c *ControlPlane) Stop(t testing.TB) {
	t.Helper()
	if err := c.end(func() error { return c.command.Process.Signal(syscall.SIGTERM) }); err != nil {
		t.Fatal(err)
	}
}

// Restart starts the API server again after Stop, or stops it first, with the same data, address and credentials.
func (c *ControlPlane) Restart(t testing.TB) {
	t.Helper()
	c.Stop(t)
	address, err := url.Parse(c.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.start(address.Port()); err != nil {
		t.Fatal(err)
	}
}

// start starts the process and waits until it is ready.
func (c *ControlPlane) start(port string) error {
	command := exec.Command(filepath.Join(c.binaries, "controlplane"),
		"serve", "--dir", c.dir, "--port", port, "--exit-on-stdin-close")
	// In a process group of its own it does not get the terminal's Ctrl-C, which would end it before the tests.
	// And should the tests die during a Pause, the kernel resumes it, so that it sees its stdin close.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.stderr = new(bytes.Buffer)
	command.Stderr = c.stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	c.command, c.stdin = command, stdin
	// Its only line says that it is ready. It gives up by itself when that takes too long.
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return fmt.Errorf("the control plane did not get ready: %w\nthe end of its log:\n%s", c.end(stdin.Close), c.logTail())
	}
	return nil
}

// logTail returns the end of the control plane's log, which is gone before anyone could look at it.
func (c *ControlPlane) logTail() []byte {
	const enough = 4 << 10
	log, err := os.ReadFile(filepath.Join(c.dir, "controlplane.log"))
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-enough):]
}

// end has the process end in the way given, if it runs, and waits for it.
func (c *ControlPlane) end(ask func() error) error {
	if c.command == nil {
		return nil
	}
	// It may be paused. Like an error of ask, one here means that it has ended already, of which Wait tells more.
	command := c.command
	_ = command.Process.Signal(syscall.SIGCONT)
	_ = ask()
	kill := time.AfterFunc(stopTimeout, func() { _ = command.Process.Kill() })
	defer kill.Stop()
	err := command.Wait()
	c.command = nil
	if err != nil {
		return fmt.Errorf("the control plane failed: %w: %s", err, c.stderr)
	}
	return nil
}

func (c *ControlPlane) signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := c.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Signal sends a signal to the process. Tests have Pause and Resume.
func (c *ControlPlane) Signal(signal os.Signal) error {
	if c.command == nil {
		return fmt.Errorf("cannot send %s to the control plane: it is stopped", signal)
	}
	if err := c.command.Process.Signal(signal); err != nil {
		return fmt.Errorf("send %s to the control plane: %w", signal, err)
	}
	return nil
}

// build returns the folder with the binaries, which it builds if there are none of this version.
func build() (string, error) {
	script, err := findUpwards(filepath.Join("hack", "controlplane", "build.sh"))
	if err != nil {
		return "", err
	}
	command := exec.Command(script)
	command.Stderr = os.Stderr // tells how far it is
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", script, err)
	}
	return strings.TrimSpace(string(output)), nil
}

// findUpwards returns the path of a file that the working directory or one above it holds. Tests run in the folder of
// their package, and unlike runtime.Caller this works with -trimpath.
func findUpwards(file string) (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, file)
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find %s in %s or above it: %w", file, start, fs.ErrNotExist)
		}
	}
}
