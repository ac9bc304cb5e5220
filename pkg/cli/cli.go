// Package cli is the subcommands of notification-controller: why was I not told, what would be sent, would this webhook
// be taken. They ask the server's own stages, about objects in files or in a cluster.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	// exitYes means that the notification would be delivered, the webhook accepted.
	exitYes = 0
	// exitNo means that it would not.
	exitNo = 1
	// exitUnknown means that nobody can tell: a flag, a file or the cluster is in the way.
	exitUnknown = 2
)

// errNo ends a subcommand whose answer is no. It has been printed.
var errNo = errors.New("no")

// Streams are what a subcommand reads from and writes to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Owns says whether arguments are those of a subcommand. All others are the server's.
func Owns(args []string) bool {
	if len(args) == 0 {
		return false
	}
	ours := []string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}
	for _, command := range newRoot(Streams{}).Commands() {
		ours = append(ours, command.Name())
	}
	return slices.Contains(ours, args[0])
}

// Run runs a subcommand and returns the exit code of the process. The server's flags are for shell completion and help.
func Run(ctx context.Context, args []string, s Streams, server *pflag.FlagSet) int {
	root := newRoot(s)
	root.Flags().AddFlagSet(server)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return exitYes
	case errors.Is(err, errNo):
		return exitNo
	default:
		fmt.Fprintf(s.Err, "error: %v\n", err)
		return exitUnknown
	}
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "notification-controller",
		Short: "Send GitOps events to where people read them, and turn webhooks into reconciliations",
		Long: `Without a subcommand this is the controller. The subcommands say what it does with an event or a webhook, from
files or from the objects of a cluster.

They end with 0 if the answer is yes (delivered, accepted), 1 if it is no, and 2 if nobody can tell.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		// The flags of the server are not those of its subcommands.
		Args: cobra.NoArgs,
	}
	root.AddCommand(newExplain(s), newRender(s), newSend(s), newVerify(s), newPath(s))
	return root
}
