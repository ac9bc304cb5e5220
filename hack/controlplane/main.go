// Command controlplane runs etcd and kube-apiserver in one process, on loopback and with RBAC on, for tests and
// demonstrations that want the real Kubernetes API without a cluster.
//
// Nothing else of Kubernetes runs: no scheduler, no kubelet and no controller manager. So Deployments start nothing,
// namespaces get no "default" ServiceAccount, owners do not take what they own with them, the aggregated roles
// (view, edit, admin) stay empty, and a deleted namespace stays Terminating until "controlplane finalize-namespace".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Usage:
  controlplane serve [--dir DIR] [--port PORT] [--ready-file FILE] [--exit-on-stdin-close]
      Run until SIGINT or SIGTERM. DIR/kubeconfig is the administrator's, DIR/controlplane.log tells why a start
      failed. Without DIR, all is kept in a temporary folder.
  controlplane exec -- COMMAND [ARG...]
      Run COMMAND against a control plane of its own, with KUBECONFIG set and kubectl in the PATH.
  controlplane finalize-namespace [--timeout DURATION] NAME
      Finish the deletion of a namespace of the control plane that KUBECONFIG names.
`

func main() {
	code, err := run(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "controlplane: %v\n", err)
	}
	os.Exit(code)
}

// run runs the subcommand that args name and returns the exit code of the process.
func run(args []string) (int, error) {
	if len(args) == 0 {
		return 2, errors.New("no subcommand\n" + usage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	name, args := args[0], args[1:]
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints errors and usage
	switch name {
	case "serve":
		return exitCode(serve(ctx, flags, args))
	case "exec":
		return execute(ctx, flags, args)
	case "finalize-namespace":
		return exitCode(finalizeNamespace(ctx, flags, args))
	case "help", "-h", "--help":
		return 0, flag.ErrHelp
	default:
		return 2, fmt.Errorf("unknown subcommand %q\n%s", name, usage)
	}
}

// exitCode returns err with the exit code for it.
func exitCode(err error) (int, error) {
	if err != nil {
		return 1, err
	}
	return 0, nil
}
