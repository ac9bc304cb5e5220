package nats

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/nats-io/nats.go"
)

// connection is one that several attempts may use at a time.
type connection struct {
	*nats.Conn
	// raw is what it goes over. To close that ends whatever the library waits for.
	raw net.Conn
	// earlier is what the library remembers of another server, which refused before this one did not.
	earlier error
}

func (c *connection) close() {
	_ = c.raw.Close()
	c.Conn.Close()
}

// usable says whether nothing has gone wrong so far.
func (c *connection) usable() bool { return c.IsConnected() && c.complaint() == nil }

// complaint is what the server has said against a message or the connection, if anything.
func (c *connection) complaint() error {
	if last := c.LastError(); last != c.earlier {
		return last
	}
	return nil
}

// publish returns what the server has to say against it. Neither writing nor waiting goes on after ctx, which has a
// deadline.
func (c *connection) publish(ctx context.Context, subject string, body []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	defer stop()
	err := c.Publish(subject, body)
	if err == nil {
		err = c.FlushWithContext(ctx)
	}
	// It says more than that the connection has been closed, and the server answers the ping after a refusal too.
	if complaint := c.complaint(); complaint != nil {
		return complaint
	}
	return err
}

// begin and end enclose an attempt.
func (s *sender) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
}

func (s *sender) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts--
	switch {
	case s.conn == nil:
	case s.timer == nil:
		s.timer = time.AfterFunc(s.idle, s.closeIdle)
	default:
		s.timer.Reset(s.idle)
	}
}

// closeIdle closes the connection that nobody has used for a while. It is also what ends that of a sender which has been
// replaced.
func (s *sender) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attempts == 0 && s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

// drop has the next attempt make a new connection, unless another has taken its place already.
func (s *sender) drop(c *connection) {
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.conn = nil
	}
}

// connect returns the connection that is kept, or makes one.
func (s *sender) connect(ctx context.Context) (*connection, error) {
	select {
	case s.dialing <- struct{}{}:
		defer func() { <-s.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	kept := s.conn
	s.mu.Unlock()
	if kept != nil && kept.usable() {
		return kept, nil
	}
	if kept != nil {
		s.drop(kept)
	}
	made, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = made
	return made, nil
}

// dial tries the servers one after the other, each for its share of the time.
func (s *sender) dial(ctx context.Context) (*connection, error) {
	share := maxAttempt
	if deadline, ok := ctx.Deadline(); ok {
		share = time.Until(deadline)
	}
	options := s.options
	options.Timeout = max(share/time.Duration(len(options.Servers)), 0)
	d := &dialer{ctx: ctx, timeout: options.Timeout, dial: s.dialContext}
	defer d.release()
	options.CustomDialer = d
	conn, err := options.Connect()
	switch {
	case err == nil:
		return &connection{conn, d.conn, conn.LastError()}, nil
	case d.err != nil && (errors.Is(err, nats.ErrNoServers) || isDenied(err)):
		// The library keeps to itself that a server refused the connection.
		return nil, d.err
	default:
		return nil, err
	}
}

// dialer makes connections that end with a context, until released. It is for one round of servers.
type dialer struct {
	ctx     context.Context
	timeout time.Duration
	dial    dialFunc
	stop    func() bool
	// conn is that of the last server.
	conn net.Conn
	// err is that of the last server to which there was no connection. One that the operator denies counts only if there
	// is no other: it is permanent, and the others may come back.
	err error
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dial implements [nats.CustomDialer].
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.release()
	ctx, cancel := context.WithTimeout(d.ctx, d.timeout)
	defer cancel()
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		if d.err == nil || !isDenied(err) {
			d.err = err
		}
		return nil, err
	}
	d.conn = conn
	d.stop = context.AfterFunc(d.ctx, func() { _ = conn.Close() })
	return conn, nil
}

func (d *dialer) release() {
	if d.stop != nil {
		d.stop()
	}
}
