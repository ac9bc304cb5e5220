package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
)

// planted is in every secret of these tests, and must be nowhere else.
const planted = "plantedsecret"

// patience is how long a test waits for what has to happen: more than it takes on a machine that has much else to do.
const patience = time.Minute

// controlPlane is shared by the tests that do not stop it.
var controlPlane = sync.OnceValues(func() (*apitest.ControlPlane, error) { return apitest.StartShared() })

// logs of all tests, where TestMain looks for secrets.
var logs syncBuffer

func TestMain(m *testing.M) {
	options := DefaultOptions()
	options.LogLevel = "trace"
	SetUpLogging(&logs, options)
	code := m.Run()
	_ = os.Remove(programPath) // Not every run needs it.
	if found := linesWith(logs.String(), planted); len(found) > 0 {
		fmt.Printf("FAIL: the logs tell secrets:\n%s\n", strings.Join(found, "\n"))
		code = 1
	}
	os.Exit(code)
}

// syncBuffer is a buffer for concurrent use.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func linesWith(text, part string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return found
}

// shared gives the control plane that the tests share, with our manifests applied.
func shared(t *testing.T) *apitest.ControlPlane {
	t.Helper()
	cp, err := controlPlane()
	if err != nil {
		t.Fatal(err)
	}
	install(t, cp)
	return cp
}

// install applies the manifests, and stand-ins for the kinds of other controllers.
func install(t *testing.T, cp *apitest.ControlPlane) {
	t.Helper()
	cp.Kubectl(t, "apply", "-k", "../../manifests")
	cp.Kubectl(t, "apply", "-f", "../../hack/testdata/crds")
	cp.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
}

// namespace creates a namespace for a test, of another name in each repetition.
func namespace(t *testing.T, cp *apitest.ControlPlane) string {
	t.Helper()
	const unique = 6
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()) + "-" + rand.Text()[:unique])
	cp.Kubectl(t, "create", "namespace", name)
	return name
}

// namedNamespace creates a namespace whose name matters, and deletes it after the test, for the next repetition.
func namedNamespace(t *testing.T, cp *apitest.ControlPlane, name string) {
	t.Helper()
	cp.Kubectl(t, "create", "namespace", name)
	t.Cleanup(func() {
		cp.Kubectl(t, "delete", "namespace", name, "--wait=false")
		cp.FinalizeNamespace(t, name)
	})
}

// scale returns how much a test does: less in make test than in make soak, which sets SOAK.
func scale(usual, soak int) int {
	if os.Getenv("SOAK") != "" {
		return soak
	}
	return usual
}

// process is a running App.
type process struct {
	*App
	t    *testing.T
	stop context.CancelFunc
	done chan error
}

// start runs the controller with the rights of its own ServiceAccount, and waits until it is ready.
func start(t *testing.T, cp *apitest.ControlPlane, change func(*Options)) *process {
	t.Helper()
	c := startUnready(t, cp, change)
	eventually(t, "the controller to be ready", func() error { return c.checkReady() })
	return c
}

func startUnready(t *testing.T, cp *apitest.ControlPlane, change func(*Options)) *process {
	t.Helper()
	o := DefaultOptions()
	o.EventsAddress, o.ReceiverAddress, o.MetricsAddress, o.HealthAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.RuntimeNamespace = "flux-system"
	o.ShutdownDelay = 0 // Most tests end their senders first.
	o.RetryBackoff.Max = 2 * time.Second
	if change != nil {
		change(&o)
	}
	if o.Kubeconfig == nil {
		o.Kubeconfig = cp.TokenConfig(t, "flux-system", "notification-controller")
	}
	ctx, stop := context.WithCancel(context.Background())
	app, err := New(klog.NewContext(ctx, klog.Background()), o)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	c := &process{App: app, t: t, stop: stop, done: make(chan error, 1)}
	go func() { c.done <- app.Run(ctx) }()
	t.Cleanup(c.shutdown)
	return c
}

// shutdown is what SIGTERM does. It can be called again.
func (c *process) shutdown() {
	c.stop()
	select {
	case err := <-c.done:
		c.done <- nil
		if err != nil {
			c.t.Errorf("the controller ended with: %v", err)
		}
	case <-time.After(time.Minute):
		c.t.Error("the controller does not end")
	}
}

// post sends an event and returns the answer's status and how long it took.
func (c *process) post(body string) (int, time.Duration) {
	c.t.Helper()
	begin := time.Now()
	resp, err := http.Post("http://"+c.EventsAddress()+"/", "application/json", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, time.Since(begin)
}

// call sends a webhook signed with token, as GitHub does.
func (c *process) call(path, token, body string) (int, string) {
	c.t.Helper()
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(body))
	req, err := http.NewRequest(http.MethodPost, "http://"+c.ReceiverAddress()+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer)
}

// metrics returns the exposition.
func (c *process) exposition() string {
	c.t.Helper()
	resp, err := http.Get("http://" + c.MetricsAddress() + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// eventually waits until check returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	eventuallyWithin(t, patience, what, check)
}

// eventuallyWithin is for what takes longer by design, such as a back-off.
func eventuallyWithin(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sink is a service that notifications are sent to.
type sink struct {
	*httptest.Server
	mu          sync.Mutex
	requests    []received
	connections int
	// answer is called for each request.
	answer func(http.ResponseWriter, *http.Request)
}

type received struct {
	path   string
	header http.Header
	body   string
}

func newSink(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *sink {
	s := &sink{answer: answer}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.requests = append(s.requests, received{r.URL.Path, r.Header.Clone(), string(body)})
		s.mu.Unlock()
		if s.answer != nil {
			s.answer(w, r)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.connections++
			s.mu.Unlock()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// got returns the requests so far whose body contains part.
func (s *sink) got(part string) []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []received
	for _, r := range s.requests {
		if strings.Contains(r.body, part) {
			found = append(found, r)
		}
	}
	return found
}

// wait waits for n requests whose body contains part.
func (s *sink) wait(t *testing.T, n int, part string) []received {
	t.Helper()
	eventually(t, fmt.Sprintf("%d notifications with %q", n, part), func() error {
		if got := len(s.got(part)); got < n {
			return fmt.Errorf("got %d", got)
		}
		return nil
	})
	return s.got(part)
}

// manifest of an Alert for all Kustomizations of the namespace, and the Provider it refers to.
func alertAndProvider(namespace, name, providerSpec string) string {
	return fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  providerRef: {name: %[2]s}
  eventSources: [{kind: Kustomization, name: '*'}]
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: %[2]s, namespace: %[1]s}
spec: %[3]s
---
`, namespace, name, providerSpec)
}

func secretManifest(namespace, name string, entries map[string]string) string {
	text := fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\nstringData:\n", name, namespace)
	for key, value := range entries {
		text += fmt.Sprintf("  %s: %q\n", key, value)
	}
	return text + "---\n"
}

// event is one about the Kustomization shop.
func eventJSON(namespace, message string) string {
	return fmt.Sprintf(`{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","name":"shop","namespace":%q},
"severity":"info","timestamp":"2026-11-22T00:00:00Z","message":%q,"reason":"Test","reportingController":"kustomize-controller"}`, namespace, message)
}

// settle waits until the controller's cache has an Alert of the namespace, so that events match.
func (c *process) settle(namespace string, alerts ...string) {
	c.t.Helper()
	for _, name := range alerts {
		eventually(c.t, "Alert "+name, func() error {
			_, err := c.informers.alertLister.Alerts(namespace).Get(name)
			if err != nil {
				return err
			}
			_, err = c.informers.Provider(namespace, name)
			return err
		})
	}
}

// receiver waits until a Receiver has a condition Ready with the status, and returns it.
func receiver(t *testing.T, cp *apitest.ControlPlane, namespace, name, status string) *v1.Receiver {
	t.Helper()
	client := versioned.NewForConfigOrDie(cp.Config())
	var found *v1.Receiver
	eventually(t, "Receiver "+name+" Ready="+status, func() error {
		r, err := client.NotificationV1().Receivers(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range r.Status.Conditions {
			if c.Type == "Ready" && string(c.Status) == status && c.ObservedGeneration == r.Generation {
				found = r
				return nil
			}
		}
		return fmt.Errorf("status %+v", r.Status)
	})
	return found
}

// knows waits until the controller has seen the path that it wrote to the status of a Receiver itself.
func (c *process) knows(path string) {
	c.t.Helper()
	eventually(c.t, "the path to be known", func() error {
		if r, err := c.informers.receiverIndex.ByPath(path); err != nil || r == nil {
			return fmt.Errorf("Receiver %v, %v", r, err)
		}
		return nil
	})
}

// warning waits for a Kubernetes Event with the reason on an object, and returns its message.
func warning(t *testing.T, cp *apitest.ControlPlane, namespace, kind, name, reason string) string {
	t.Helper()
	client := kubernetes.NewForConfigOrDie(cp.Config())
	var message string
	eventually(t, fmt.Sprintf("a Warning %s on %s %s", reason, kind, name), func() error {
		events, err := client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, e := range events.Items {
			if strings.Contains(e.Message, planted) {
				t.Fatalf("a Kubernetes Event tells a secret: %s", e.Message)
			}
			if e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name && e.Reason == reason && e.Type == "Warning" {
				message = e.Message
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them", len(events.Items))
	})
	return message
}
