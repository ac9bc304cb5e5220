package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// execute runs a command against a control plane of its own and returns the exit code of the command. Done before the
// command runs, ctx ends it all; later, signals are the command's to react to.
func execute(ctx context.Context, flags *flag.FlagSet, args []string) (code int, err error) {
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	if flags.NArg() == 0 {
		return 2, errors.New("exec needs a command: controlplane exec -- COMMAND [ARG...]")
	}
	f, _, err := openFolder("")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(string(f))) }()

	c, err := start(ctx, f, 0)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	return runCommand(flags.Args(), f)
}

// runCommand runs a command for which the control plane in f is the current cluster and returns its exit code.
func runCommand(args []string, f folder) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("find the folder of kubectl: %w", err)
	}
	// Before the command is looked up: it may be kubectl itself.
	if err := os.Setenv("PATH", filepath.Dir(self)+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		return 1, err
	}
	command := exec.Command(args[0], args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(),
		"KUBECONFIG="+f.kubeconfig(),
		// kubectl's cache goes by host and port, which soon belong to another control plane.
		"KUBECACHEDIR="+filepath.Join(string(f), "kubectl"),
	)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := command.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case signal := <-signals:
			// An error means that the command has ended meanwhile.
			_ = command.Process.Signal(signal)
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				return 0, err
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				return 128 + int(status.Signal()), nil // as shells do
			}
			return exit.ExitCode(), nil
		}
	}
}
