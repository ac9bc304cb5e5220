package app

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	p := &apiProxy{}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ModifyResponse: func(resp *http.Response) error {
			resp.Body = &goneReader{ReadCloser: resp.Body, gone: &p.gone}
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

// goneReader counts what the API server says of watches that are too old to go on, in JSON and in protobuf.
type goneReader struct {
	io.ReadCloser
	gone *atomic.Int32
}

func (r *goneReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if bytes.Contains(p[:n], []byte("too old resource version")) {
		r.gone.Add(1)
	}
	return n, err
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

// expiring refuses to resume each watch once.
func expiring(count *atomic.Int32) fault {
	var mu sync.Mutex
	refused := map[string]bool{}
	return func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		mu.Lock()
		defer mu.Unlock()
		if query.Get("watch") == "" || query.Get("sendInitialEvents") != "" || query.Get("resourceVersion") == "" || refused[r.URL.Path] {
			return false
		}
		refused[r.URL.Path] = true
		count.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}`)
		return true
	}
}
