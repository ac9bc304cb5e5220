// Command notification-controller sends GitOps events to where people and machines read them, and turns webhooks into
// reconciliations.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/app"
	"github.com/notification-controller/notification-controller/pkg/cli"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	options := app.DefaultOptions()
	flags := pflag.NewFlagSet("notification-controller", pflag.ContinueOnError)
	options.AddFlags(flags)
	if cli.Owns(args) {
		return runSubcommand(args, flags)
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flags.Arg(0))
		return 1
	}
	if err := options.Validate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// A log that nobody reads any more is no reason to end.
	signal.Ignore(syscall.SIGPIPE)
	app.SetUpLogging(os.Stderr, options)
	defer klog.Flush()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	controller, err := app.New(ctx, options)
	if err == nil {
		err = controller.Run(ctx)
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "Cannot go on")
		return 1
	}
	return 0
}

// runSubcommand answers a question about events or webhooks. The server's flags are for shell completion.
func runSubcommand(args []string, server *pflag.FlagSet) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What client-go has to say is in the errors.
	klog.SetLogger(logr.Discard())
	return cli.Run(ctx, args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, server)
}
