package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program under measurement.
type process struct {
	command *exec.Cmd
	// addresses of its servers.
	events, webhooks, health, metrics string
	// ready is how long it took until it was.
	ready time.Duration
}

// memory is the resident memory of a program in KiB; private is the part of it that is not of its file.
type memory struct{ resident, private int }

func (m memory) String() string {
	return fmt.Sprintf("%d MiB (%d private)", m.resident>>10, m.private>>10)
}

const (
	readyTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
	// ticks of the kernel's CPU accounting in a second (USER_HZ).
	ticks = 100
)

// launch starts a program and waits until it is ready.
func launch(env []string, p *process, name string, args ...string) error {
	p.command = exec.Command(name, args...)
	p.command.Env = append(os.Environ(), env...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	p.command.Stderr = &stderr
	begin := time.Now()
	if err := p.command.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + p.health + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			p.ready = time.Since(begin)
			return nil
		}
	}
	return errors.Join(fmt.Errorf("%s did not become ready: %s", name, stderr.String()), p.stop())
}

// stop ends the program as Kubernetes would.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = p.command.Process.Kill() })
	defer timer.Stop()
	return p.command.Wait()
}

// cpu is the time that the program has spent on a processor so far.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The fields after the name, which is in parentheses: utime and stime are the 12th and 13th of them.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}

// settle waits until the program has come to rest after its start: what it does once is not to be counted as the cost of
// a request.
func (p *process) settle() error {
	const look, quiet = 500 * time.Millisecond, 20 * time.Millisecond
	before, err := p.cpu()
	for deadline := time.Now().Add(readyTimeout); err == nil && time.Now().Before(deadline); {
		time.Sleep(look)
		var now time.Duration
		now, err = p.cpu()
		if now-before <= quiet {
			return err
		}
		before = now
	}
	return errors.Join(err, errors.New("the program does not come to rest"))
}

// memory is what the program takes now.
func (p *process) memory() (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for field, value := range map[string]*int{"VmRSS": &m.resident, "RssAnon": &m.private} {
		if *value, err = number(string(status), field+":"); err != nil {
			return m, err
		}
	}
	return m, nil
}

// metric is the value of a metric without labels.
func (p *process) metric(name string) (int, error) {
	resp, err := http.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return number(string(text), name)
}

// number is what follows a name at the beginning of a line.
func number(text, name string) (int, error) {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			value, err := strconv.ParseFloat(fields[1], 64)
			return int(value), err
		}
	}
	return 0, fmt.Errorf("there is no %s", name)
}

// kill ends the program as a machine that dies does.
func (p *process) kill() error {
	if err := p.command.Process.Kill(); err != nil {
		return err
	}
	_ = p.command.Wait() // It says that the program was killed.
	return nil
}
