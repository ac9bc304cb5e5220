package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// serve runs a control plane until ctx is done.
func serve(ctx context.Context, flags *flag.FlagSet, args []string) (err error) {
	dir := flags.String("dir", "", "folder of the control plane; a temporary one if empty")
	port := flags.Int("port", 0, "port of 127.0.0.1; any free one if 0")
	readyFile := flags.String("ready-file", "", "file to write the path of the kubeconfig to when ready")
	exitOnStdinClose := flags.Bool("exit-on-stdin-close", false, "stop, and remove the folder, when stdin closes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("serve takes no arguments, got %q", flags.Args())
	}
	if *exitOnStdinClose {
		var stop context.CancelFunc
		ctx, stop = withStdin(ctx)
		defer stop()
	}
	f, temporary, err := openFolder(*dir)
	if err != nil {
		return err
	}
	defer func() {
		if temporary || errors.Is(context.Cause(ctx), io.EOF) {
			err = errors.Join(err, os.RemoveAll(string(f)))
		}
	}()

	c, err := start(ctx, f, *port)
	if err != nil {
		return err
	}
	if *readyFile != "" {
		if err := os.WriteFile(*readyFile, []byte(f.kubeconfig()+"\n"), 0o600); err != nil {
			return errors.Join(fmt.Errorf("write the ready file: %w", err), c.stop())
		}
	}
	fmt.Printf("ready: KUBECONFIG=%s\n", f.kubeconfig())
	select {
	case <-ctx.Done():
		return c.stop()
	case err := <-c.ended:
		c.etcd.Close()
		return fmt.Errorf("kube-apiserver ended: %w", err)
	}
}

// withStdin returns a context that is done, with the cause io.EOF, when standard input closes. A parent that makes it
// a pipe thus needs to do nothing for its control plane to end with it, however it ends itself.
func withStdin(ctx context.Context) (context.Context, context.CancelFunc) {
	// To a process that its parent left behind stopped (SIGSTOP) the kernel sends SIGHUP and SIGCONT. The latter is
	// enough to read on; the former would end it before it has cleaned up.
	signal.Ignore(syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error closes it as well
		cancel(io.EOF)
	}()
	return ctx, func() { cancel(nil) }
}

// openFolder returns the folder dir, or a new one and true if dir is empty.
func openFolder(dir string) (f folder, temporary bool, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "controlplane-")
		return folder(dir), true, err
	}
	// kube-apiserver and the kubeconfig's readers may see another working directory.
	dir, err = filepath.Abs(dir)
	return folder(dir), false, err
}
