package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
)

// endpoint is a service that does to each connection what it is told to.
type endpoint struct {
	address     string
	connections atomic.Int32
}

func newEndpoint(t *testing.T, serve func(net.Conn)) *endpoint {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{address: "http://" + listener.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			e.connections.Add(1)
			// The end of the test ends what would go on for hours.
			end := context.AfterFunc(t.Context(), func() { conn.Close() })
			serving.Go(func() {
				defer end()
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return e
}

// drip writes a text and then one byte a second until the other side has had enough.
func drip(conn net.Conn, text string) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return
	}
	_, err := io.WriteString(conn, text)
	for err == nil {
		time.Sleep(time.Second)
		_, err = io.WriteString(conn, "x")
	}
}

// brokenEndpoints are the ways in which a service can fail, each with whether that counts as an answer.
func brokenEndpoints() map[string]func(net.Conn) {
	return map[string]func(net.Conn){
		"resetting": func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) },
		"silent":    func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"slow-reading": func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetReadBuffer(1)
			for b := make([]byte, 1); ; time.Sleep(time.Second) {
				if _, err := conn.Read(b); err != nil {
					return
				}
			}
		},
		"dripping-header": func(conn net.Conn) { drip(conn, "HTTP/1.1 200 OK\r\nX-Header: ") },
		// The status has been said, so that the notification counts as sent.
		"dripping-body": func(conn net.Conn) { drip(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") },
		"breaking-off": func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200")
			}
		},
		"no-http": func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n") },
	}
}

// TestBrokenEndpoints sends to all of them at once, and to one that works.
func TestBrokenEndpoints(t *testing.T) {
	t.Parallel()
	const events, size = 20, 64 << 10
	cp := shared(t)
	ns := namespace(t, cp)
	well := newSink(t, nil)
	broken := map[string]*endpoint{}
	names := []string{"well", "refusing"}
	manifests := alertAndProvider(ns, "well", "{type: generic, address: '"+well.URL+"'}") +
		alertAndProvider(ns, "refusing", "{type: generic, address: 'http://127.0.0.1:1', timeout: 1s}")
	for name, serve := range brokenEndpoints() {
		broken[name] = newEndpoint(t, serve)
		manifests += alertAndProvider(ns, name, "{type: generic, address: '"+broken[name].address+"', timeout: 1s}")
		names = append(names, name)
	}
	cp.Apply(t, manifests)
	// All retries take some 35 seconds; in make test, most of them are cut off by the shutdown.
	c := start(t, cp, func(o *Options) { o.ShutdownTimeout = time.Duration(scale(5, 25)) * time.Second })
	c.settle(ns, names...)
	for i := range events {
		if status, _ := c.post(eventJSON(ns, fmt.Sprintf("to all %d.%s", i, strings.Repeat("m", size)))); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	well.wait(t, events, "to all")
	for name, e := range broken {
		eventually(t, "an attempt at "+name, func() error {
			if e.connections.Load() == 0 {
				return fmt.Errorf("none")
			}
			return nil
		})
	}
	c.shutdown()
	if y := balance(t, ns, c); y.matches != events*len(names) || y.sent != 2*events || y.failed != y.matches-y.sent {
		t.Errorf("%+v", y)
	}
}

// TestManyFailingProviders has 200 Providers fail while one works.
func TestManyFailingProviders(t *testing.T) {
	t.Parallel()
	const failing, events = 200, 20
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/well" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	cp.Apply(t, alertAndProvider(ns, "well", "{type: generic, address: '"+s.URL+"/well'}"))
	createPairs(t, cp, failing, func(i int) (*v1beta3.Alert, *v1beta3.Provider) {
		return pair(ns, fmt.Sprintf("failing-%d", i), s.URL+"/failing")
	})
	c := start(t, cp, func(o *Options) { o.ShutdownTimeout = time.Second })
	begin := time.Now()
	for i := range events {
		if status, _ := c.post(eventJSON(ns, fmt.Sprintf("to all %d.", i))); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	eventually(t, "the one that works to get all", func() error {
		sent := 0
		for _, r := range s.got("to all") {
			if r.path == "/well" {
				sent++
			}
		}
		if sent < events {
			return fmt.Errorf("%d of %d", sent, events)
		}
		return nil
	})
	t.Logf("the one that works had all %s after the first event", time.Since(begin))
	c.shutdown()
	if y := balance(t, ns, c); y.matches != events*(failing+1) || y.sent != events || y.dropped != 0 {
		t.Errorf("%+v", y)
	}
}

// pair is an Alert for the Kustomizations of its namespace that are called as it is, or for all if it is not for an
// app, and its Provider.
func pair(ns, name, address string) (*v1beta3.Alert, *v1beta3.Provider) {
	source := v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "*"}
	if strings.HasPrefix(name, "app-") {
		source.Name = name
	}
	meta := metav1.ObjectMeta{Namespace: ns, Name: name}
	alert := &v1beta3.Alert{ObjectMeta: meta}
	alert.Spec.ProviderRef.Name = name
	alert.Spec.EventSources = []v1beta3.CrossNamespaceObjectReference{source}
	provider := &v1beta3.Provider{ObjectMeta: meta}
	provider.Spec.Type, provider.Spec.Address = "generic", address
	return alert, provider
}

// createPairs creates many Alerts and Providers, faster than kubectl does.
func createPairs(t *testing.T, cp *apitest.ControlPlane, n int, make func(int) (*v1beta3.Alert, *v1beta3.Provider)) {
	t.Helper()
	client := versioned.NewForConfigOrDie(cp.Config()).NotificationV1beta3()
	const creators = 8
	var all sync.WaitGroup
	for creator := range creators {
		all.Go(func() {
			for i := creator; i < n; i += creators {
				alert, provider := make(i)
				_, err := client.Alerts(alert.Namespace).Create(t.Context(), alert, metav1.CreateOptions{})
				if err == nil && provider != nil {
					_, err = client.Providers(provider.Namespace).Create(t.Context(), provider, metav1.CreateOptions{})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
