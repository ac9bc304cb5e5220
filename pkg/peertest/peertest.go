// Package peertest starts real services, which tests talk to instead of a fake.
package peertest

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// startTimeout is how long a service may take to start.
const startTimeout = 60 * time.Second

// Find returns the path of a program that a target of the Makefile has put into the cache. Without it, the test is
// skipped, and says so.
func Find(t testing.TB, target, program string) string {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if home, err := os.UserHomeDir(); cache == "" && err == nil {
		cache = filepath.Join(home, ".cache")
	}
	found, err := filepath.Glob(filepath.Join(cache, "notification-controller", target, "*", program))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Skipf("SKIPPED: there is no %s to test against: run make %s", program, target)
	}
	return found[len(found)-1]
}

// Address returns an address of the loopback interface with a port that is free, and that the kernel gives to nobody who
// asks for any: tests that run at the same time would have it by the time that the service listens.
func Address(t testing.TB) *net.TCPAddr {
	t.Helper()
	const lowest, ports, tries = 20_000, 10_000, 100
	for range tries {
		address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: lowest + rand.IntN(ports)}
		if listener, err := net.ListenTCP("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatalf("no port from %d to %d is free", lowest, lowest+ports)
	return nil
}

// Start starts a service that ends with the test, and waits until it is up. If the test fails, it shows what the service
// said.
func Start(t testing.TB, service *exec.Cmd, up func() bool) {
	t.Helper()
	var log bytes.Buffer
	service.Stdout, service.Stderr = &log, &log
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = service.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = service.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(service.Path), &log)
		}
	})
	timeout := time.After(startTimeout)
	for !up() {
		select {
		case <-ended:
			t.Fatalf("%s ended", filepath.Base(service.Path))
		case <-timeout:
			t.Fatalf("%s does not answer", filepath.Base(service.Path))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Answers says whether a service answers a request with 200.
func Answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
