// Package natstest has a server that speaks as much of the NATS protocol as publishing takes, for tests that are not to
// need a real one.
//
// Source: https://docs.nats.io/reference/reference-protocols/nats-protocol
package natstest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// MaxPayload is the most bytes of a message, as is a real server's default.
const MaxPayload = 1 << 20

// Message is what was published.
type Message struct {
	Subject string
	Body    []byte
}

// Server takes all messages. Its fields are set before the first connection.
type Server struct {
	// Complaint is sent after each message, where there is one; a real server sends "Permissions Violation …" and the
	// like.
	Complaint string
	// Refusal is the answer to those who connect, where there is one; a real server says "Authorization Violation".
	Refusal string
	// Silent has the server not answer after the first message.
	Silent bool

	listener net.Listener
	mu       sync.Mutex
	messages []Message
	connects []string
	open     map[net.Conn]bool
}

// New starts a server that ends with the test.
func New(t *testing.T) *Server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{listener: listener, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		s.Disconnect()
	})
	go s.accept()
	return s
}

// URL is the server's address.
func (s *Server) URL() string { return "nats://" + s.listener.Addr().String() }

// Messages returns what was published so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Connects returns what each connection so far began with: the JSON of CONNECT.
func (s *Server) Connects() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.connects...)
}

// Open is how many connections there are.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Disconnect ends all connections.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.Close()
	}
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		s.mu.Unlock()
		go func() {
			s.serve(conn)
			_ = conn.Close()
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		}()
	}
}

// serve ends with the connection, or at the first thing that it does not know.
func (s *Server) serve(conn net.Conn) {
	fmt.Fprintf(conn, "INFO {\"server_id\":\"test\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,\"max_payload\":%d}\r\n", MaxPayload)
	reader := bufio.NewReader(conn)
	silent := false
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			return
		case words[0] == "CONNECT":
			s.mu.Lock()
			s.connects = append(s.connects, strings.TrimSpace(strings.TrimPrefix(line, "CONNECT")))
			s.mu.Unlock()
			if s.Refusal != "" {
				fmt.Fprintf(conn, "-ERR '%s'\r\n", s.Refusal)
				return
			}
		case words[0] == "PING" && !silent:
			_, _ = io.WriteString(conn, "PONG\r\n")
		case words[0] == "PING":
		case words[0] == "PUB" && len(words) == 3:
			if !s.take(reader, words[1], words[2]) {
				return
			}
			silent = s.Silent
			if s.Complaint != "" {
				fmt.Fprintf(conn, "-ERR '%s'\r\n", s.Complaint)
			}
		default:
			return
		}
	}
}

// take reads the body of a message.
func (s *Server) take(reader io.Reader, subject, length string) bool {
	n, err := strconv.Atoi(length)
	if err != nil || n > MaxPayload {
		return false
	}
	// It ends with a line break, which does not count.
	body := make([]byte, n+2)
	if _, err := io.ReadFull(reader, body); err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, Message{subject, body[:n]})
	return true
}
