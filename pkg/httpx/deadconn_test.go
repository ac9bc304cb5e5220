package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory. Once it is silent, nothing passes through those that there are.
type pipes struct {
	accept chan net.Conn
	silent chan struct{}
	closed chan struct{}
	close  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// dial connects through a router, which takes all there is and says nothing once it has forgotten the connection.
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, client := net.Pipe()
	server, far := net.Pipe()
	forward := func(to, from net.Conn, silent <-chan struct{}) {
		defer to.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			select {
			case <-silent:
			default:
				_, _ = to.Write(buffer[:n])
			}
		}
	}
	go forward(far, near, p.silent)
	go forward(near, far, p.silent)
	p.accept <- server
	return client, nil
}

// TestDeadConnection checks that a connection that has died without a word costs one attempt, and not all of them.
func TestDeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := &pipes{accept: make(chan net.Conn), closed: make(chan struct{}), silent: make(chan struct{})}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("a request by %s", r.Proto)
			}
		}))
		server.Listener.Close()
		server.Listener, server.EnableHTTP2 = router, true
		server.StartTLS()
		defer server.Close()
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		c := NewClient(Options{TLS: &tls.Config{RootCAs: roots}})
		defer c.CloseIdleConnections()
		c.Transport.(*http.Transport).DialContext = router.dial

		attempt := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			_, err := Send(ctx, c, Request{URL: "https://example.com", Body: []byte("{}")})
			return err
		}
		if err := attempt(); err != nil {
			t.Fatal(err)
		}
		close(router.silent)
		router.silent = nil
		if err := attempt(); err == nil {
			t.Error("the dead connection carried a request")
		}
		if err := attempt(); err != nil {
			t.Errorf("the dead connection was used again: %v", err)
		}
	})
}
