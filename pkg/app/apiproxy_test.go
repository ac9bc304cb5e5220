package app

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// fault answers a request in place of the API server, or returns false to have it passed on.
type fault func(http.ResponseWriter, *http.Request) bool

// apiProxy stands between a controller and the API server, and makes the way there as bad as it is told to.
type apiProxy struct {
	*httptest.Server
	fault atomic.Pointer[fault]
	// gone counts how often the API server could not resume a watch.
	gone atomic.Int32

	mu   sync.Mutex
	open map[*watched]bool
}

func newAPIProxy(t *testing.T, cp *apitest.ControlPlane) *apiProxy {
	t.Helper()
	target, err := url.Parse(cp.Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(cp.Config()))
	if err != nil {
		t.Fatal(err)
	}
	p := &apiProxy{open: map[*watched]bool{}}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ModifyResponse: func(resp *http.Response) error {
			if resp.Request.URL.Query().Has("watch") {
				w := &watched{ReadCloser: resp.Body, proxy: p, since: time.Now()}
				resp.Body = w
				p.mu.Lock()
				defer p.mu.Unlock()
				p.open[w] = true
			}
			return nil
		},
	}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := p.fault.Load(); fault == nil || !(*fault)(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	p.EnableHTTP2 = true
	p.Config.ErrorLog = forward.ErrorLog
	p.StartTLS()
	t.Cleanup(func() {
		p.CloseClientConnections() // watches
		p.Close()
	})
	return p
}

// through has a controller reach the API server by way of the proxy.
func (p *apiProxy) through(t *testing.T, cp *apitest.ControlPlane) func(*Options) {
	t.Helper()
	direct := cp.TokenConfig(t, "flux-system", "notification-controller")
	return func(o *Options) {
		o.Kubeconfig = &rest.Config{
			Host:        p.URL,
			BearerToken: direct.BearerToken,
			TLSClientConfig: rest.TLSClientConfig{
				CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}),
			},
		}
	}
}

// set replaces the fault and cuts what is under way, so that watches meet it too. Nil ends it.
func (p *apiProxy) set(f fault) {
	if f == nil {
		p.fault.Store(nil)
		return
	}
	p.fault.Store(&f)
	p.CloseClientConnections()
}

// watched is the answer to a request, such as a watch.
type watched struct {
	io.ReadCloser
	proxy *apiProxy
	since time.Time
	ended atomic.Bool
}

// Read counts what the API server says of watches that are too old to go on, in JSON and in protobuf.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if bytes.Contains(p[:n], []byte("too old resource version")) {
		w.proxy.gone.Add(1)
	}
	if w.ended.Load() {
		return n, io.EOF
	}
	return n, err
}

func (w *watched) Close() error {
	w.proxy.mu.Lock()
	delete(w.proxy.open, w)
	w.proxy.mu.Unlock()
	return w.ReadCloser.Close()
}

// endWatches ends watches as the API server does from time to time, so that the controller resumes them. One that has
// just begun it would not resume but take for a mistake.
func (p *apiProxy) endWatches() {
	const young = 2 * time.Second
	p.mu.Lock()
	open := slices.Collect(maps.Keys(p.open))
	p.mu.Unlock()
	for _, w := range open {
		if time.Since(w.since) > young {
			w.ended.Store(true)
			_ = w.Close()
		}
	}
}

// unreachable breaks every connection.
func unreachable(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// throttling tells everybody to come back later.
func throttling(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "too many requests", http.StatusTooManyRequests)
	return true
}

// slow passes requests on after a while.
func slow(delay time.Duration) fault {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		return false
	}
}

// holding keeps watches that are being resumed waiting until they are released. Then they are passed on or, the first of
// each kind, refused as too old.
type holding struct {
	release chan struct{}
	refuse  bool

	mu   sync.Mutex
	held map[string]bool
}

func newHolding(refuse bool) *holding {
	return &holding{release: make(chan struct{}), refuse: refuse, held: map[string]bool{}}
}

func (h *holding) fault(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if !query.Has("watch") || query.Has("sendInitialEvents") || query.Get("resourceVersion") == "" {
		return false
	}
	h.mu.Lock()
	first := !h.held[r.URL.Path]
	h.held[r.URL.Path] = true
	h.mu.Unlock()
	select {
	case <-h.release:
	case <-r.Context().Done():
		return true
	}
	if !first || !h.refuse {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusGone)
	_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}`)
	return true
}

// holdWatches ends all watches and waits until those for the controller's own kinds are held.
func (p *apiProxy) holdWatches(t *testing.T, c *process, refuse bool) (release func()) {
	t.Helper()
	h := newHolding(refuse)
	var f fault = h.fault
	p.fault.Store(&f)
	eventuallyWithin(t, backoffLimit, "all watches to be resumed", func() error {
		p.endWatches()
		h.mu.Lock()
		defer h.mu.Unlock()
		if want := len(c.informers.all()); len(h.held) < want {
			return fmt.Errorf("%d of %d are", len(h.held), want)
		}
		return nil
	})
	return func() { close(h.release) }
}
