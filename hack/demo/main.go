// Command demo shows the whole job on a real API server: an event becomes a message, and a webhook a reconciliation.
//
// "make run" runs it, from the root of the repository and in "controlplane exec", which gives it a KUBECONFIG and
// kubectl. It says of each step what it does, and stops at the first that did not happen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// stepTimeout bounds each step, on a machine that is busy with other things too.
	stepTimeout = time.Minute
	// interrupted is the exit code of a process that Ctrl-C ended before it was through.
	interrupted = 130
)

func main() {
	binary := flag.String("controller", "bin/notification-controller", "the controller to show")
	once := flag.Bool("once", false, "end after the last step rather than stay up")
	flag.Parse()
	os.Exit(run(*binary, *once))
}

func run(binary string, once bool) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &demo{binary: binary}
	err := d.show(ctx)
	if err == nil && !once {
		err = d.stayUp(ctx)
	}
	// What was begun is ended in any case, and has to end well.
	err = errors.Join(err, d.stop())
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Println("\ninterrupted")
		return interrupted
	case err != nil:
		fmt.Fprintf(os.Stderr, "\nFAILED: %v\n", err)
		return 1
	case once:
		fmt.Println("\nAll of it happened.")
	}
	return 0
}

// show takes the steps in their order.
func (d *demo) show(ctx context.Context) error {
	for i, step := range d.steps() {
		fmt.Printf("\n==> %d. %s\n", i+1, step.title)
		if err := take(ctx, step); err != nil {
			return fmt.Errorf("step %d did not happen: %s\n%w", i+1, step.title, err)
		}
	}
	return nil
}

func take(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("it took longer than %s", stepTimeout))
	defer cancel()
	err := s.do(ctx)
	// The cause says more than that a deadline was exceeded.
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}
