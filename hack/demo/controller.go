package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTimeout is when a controller that was told to stop is killed. By itself it takes 25 seconds at most.
const stopTimeout = 40 * time.Second

// errEnded says that the controller has ended without having been told to.
var errEnded = errors.New("the controller has ended")

// controller is a running notification-controller.
type controller struct {
	// log is the path of its log.
	log       string
	addresses addresses
	// tell makes it end; ended is closed once it has, and err says how it went.
	tell  context.CancelFunc
	ended chan struct{}
	err   error
}

// startController starts the controller and waits until it is ready: on its default ports if those are free, on other
// ones if not.
func startController(ctx context.Context, binary string) (*controller, error) {
	c, err := start(ctx, binary, freeOr)
	// Another one may have taken a port between the look and the start, as when two of these run at once.
	if errors.Is(err, errEnded) {
		say("it ended at once; again, on other ports, in case somebody else took one of them meanwhile")
		return start(ctx, binary, func(string) string { return anyPort })
	}
	return c, err
}

// start starts the controller once. It is given the addresses that port returns for the default ports.
func start(ctx context.Context, binary string, port func(string) string) (*controller, error) {
	log, err := os.CreateTemp(filepath.Dir(binary), "demo-*.log")
	if err != nil {
		return nil, err
	}
	// It outlives the step that starts it.
	life, tell := context.WithCancel(context.WithoutCancel(ctx))
	c := &controller{log: log.Name(), tell: tell, ended: make(chan struct{})}
	command := exec.CommandContext(life, binary,
		"--events-addr="+port("9090"), "--receiverAddr="+port("9292"),
		"--metrics-addr="+port("8080"), "--health-addr="+port("9440"), "--shutdown-delay=0")
	// In a process group of its own it does not get the terminal's Ctrl-C, but is told to stop when its time has come.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTimeout
	watched := &readyWatcher{log: log, ready: make(chan addresses, 1)}
	command.Stderr = watched
	if err := command.Start(); err != nil {
		tell()
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		c.err = errors.Join(command.Wait(), log.Close())
		tell() // there is nobody left to tell, only the context to end
		close(c.ended)
	}()
	if err := c.waitReady(ctx, watched.ready); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// waitReady waits until the controller has said where it listens and its probe says that it is ready. To ask the ports
// that it was told to use would not do: they may be another one's by now.
func (c *controller) waitReady(ctx context.Context, ready <-chan addresses) error {
	select {
	case c.addresses = <-ready:
	case <-c.ended:
		return fmt.Errorf("%w before it was ready: %w; the end of %s:\n%s", errEnded, c.err, c.log, tail(c.log))
	case <-ctx.Done():
		return fmt.Errorf("the controller did not get ready: %w; the end of %s:\n%s", ctx.Err(), c.log, tail(c.log))
	}
	url := "http://" + c.addresses.Health + "/readyz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s", url, resp.Status)
	}
	return nil
}

func (c *controller) eventsURL() string { return "http://" + c.addresses.Events + "/" }

// stop has the controller finish what it has accepted, and waits for it. It may be called for one that has ended.
func (c *controller) stop() error {
	select {
	case <-c.ended:
		return nil // Whoever waited for it has said so.
	default:
	}
	c.tell()
	<-c.ended
	// That it was told to end is no error.
	if c.err != nil && !errors.Is(c.err, context.Canceled) {
		return fmt.Errorf("the controller did not end well: %w; the end of %s:\n%s", c.err, c.log, tail(c.log))
	}
	return nil
}

const anyPort = "127.0.0.1:0"

// freeOr returns the address of a port of the loopback interface if it is free, and of any free one if not.
func freeOr(port string) string {
	address := net.JoinHostPort("127.0.0.1", port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return anyPort
	}
	if err := listener.Close(); err != nil {
		return anyPort
	}
	return address
}
