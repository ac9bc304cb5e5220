package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// nameServer answers every question for an IPv4 address in the same way, or not at all.
type nameServer struct {
	conn   net.PacketConn
	answer atomic.Pointer[netip.Addr]
	asked  atomic.Int32
}

// newNameServer has the whole process ask it. The test must not run in parallel with others.
func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn}
	go s.serve()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		conn.Close()
	})
	return s
}

// says sets the answer; the zero address is none at all.
func (s *nameServer) says(address string) {
	to := netip.MustParseAddr(address)
	s.answer.Store(&to)
}

func (s *nameServer) serve() {
	buffer := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		s.asked.Add(1)
		if to := s.answer.Load(); to != nil {
			_, _ = s.conn.WriteTo(reply(buffer[:n], *to), from)
		}
	}
}

// reply is the answer to a query with one question (RFC 1035, section 4.1).
func reply(query []byte, to netip.Addr) []byte {
	const header, isAnswer, typeA = 12, 0x80, 1
	end := header
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[header : end+5]
	answer := append([]byte{query[0], query[1], isAnswer | query[2], 0, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if question[len(question)-3] != typeA {
		return answer // It has no address of another kind.
	}
	answer[7] = 1
	// The name as in the question, type A, class IN, a TTL of 0, four bytes.
	answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(answer, to.AsSlice()...)
}

// named is the address of a sink under a name that the name server knows.
func (s *sink) named(host string) string { return strings.Replace(s.URL, "127.0.0.1", host, 1) }

// TestDNSIsGone has a Provider whose name cannot be resolved, until it can again.
func TestDNSIsGone(t *testing.T) {
	names := newNameServer(t)
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, timeout: 1s, address: '"+s.named("sink.example.com")+"'}"))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	const events = 20
	for i := range events {
		if status, _ := c.post(eventJSON(ns, fmt.Sprintf("without DNS %d.", i))); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	eventually(t, "an attempt to fail", func() error {
		if !strings.Contains(c.exposed(), `notification_delivery_attempt_duration_seconds_count{type="generic"}`) {
			return fmt.Errorf("none has ended")
		}
		return nil
	})
	names.says("127.0.0.1")
	s.wait(t, events, "without DNS")
	if y := balance(t, ns, c); y.sent != events {
		t.Errorf("%+v", y)
	}
}

// TestDNSRebinding has a name lead to an address that is denied once it has been looked at.
func TestDNSRebinding(t *testing.T) {
	names := newNameServer(t)
	cp := shared(t)
	ns := namespace(t, cp)
	allowed := newSink(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	cp.Apply(t, alertAndProvider(ns, "rebinding", "{type: generic, address: '"+allowed.named("rebinding.example.com")+"'}")+
		alertAndProvider(ns, "local", "{type: generic, address: '"+strings.Replace(allowed.named("localhost"), "localhost", "127.0.0.2", 1)+"'}"))
	c := start(t, cp, func(o *Options) { o.ProviderDenyCIDRs = []string{"127.0.0.2/32", "169.254.0.0/16"} })
	c.settle(ns, "rebinding", "local")
	names.says("127.0.0.1")
	if status, _ := c.post(eventJSON(ns, "first")); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	allowed.wait(t, 1, "first")

	for i, denied := range []string{"169.254.169.254", "127.0.0.2"} {
		names.says(denied)
		if status, _ := c.post(eventJSON(ns, fmt.Sprintf("to %s", denied))); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
		eventually(t, "the attempts to be denied", func() error {
			if y := c.tally(); y.failed != 3+2*i {
				return fmt.Errorf("%+v", y)
			}
			return nil
		})
	}
	if text := warning(t, cp, ns, "Alert", "local", "NotificationDispatchFailed"); !strings.Contains(text, "--provider-deny-cidrs") {
		t.Errorf("Warning %q", text)
	}
	if y := balance(t, ns, c); y.sent != 1 || y.failed != 5 {
		t.Errorf("%+v", y)
	}
}
