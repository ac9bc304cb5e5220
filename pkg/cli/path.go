package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

func newPath(s Streams) *cobra.Command {
	o := &options{Streams: s}
	c := &cobra.Command{
		Use:   "path [-f OBJECTS]... RECEIVER",
		Short: "Print the path of a Receiver's URL",
		Long: `Prints the path of a Receiver's URL, which its Secret makes: first that of the token, then, while a token is being
replaced, that of the previous one. For types that verify nothing the path is the credential.`,
		Example: `  notification-controller path github -n apps
  notification-controller path github -f receivers/`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.path(c.Context(), args[0]) },
	}
	o.addFlags(c)
	return c
}

// paths is the answer of path.
type paths struct {
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`
	Path         string `json:"path"`
	PreviousPath string `json:"previousPath,omitempty"`
	// Message is why there is no path.
	Message string `json:"message,omitempty"`
}

func (o *options) path(ctx context.Context, name string) error {
	_, inv, err := o.read(ctx, receivers)
	if err != nil {
		return err
	}
	r, err := want("Receiver", inv.receivers, inv.namespace, name)
	if err != nil {
		return err
	}
	status, err := statusOf(inv.secrets, r)
	found := paths{
		Namespace: r.Namespace, Name: r.Name,
		Path: status.WebhookPath, PreviousPath: status.PreviousWebhookPath,
	}
	if found.Path == "" {
		found.Message = whyNoPath(status, err)
	}
	return o.answer(found.Path != "", found, func(w io.Writer) {
		for _, line := range []string{found.Path, found.PreviousPath} {
			if line != "" {
				fmt.Fprintln(w, line)
			}
		}
		if found.Message != "" {
			fmt.Fprintln(o.Err, found.Message)
		}
	})
}

// whyNoPath says what keeps a Receiver from having a path.
func whyNoPath(status v1.ReceiverStatus, err error) string {
	if err != nil {
		return err.Error()
	}
	if ready := meta.FindStatusCondition(status.Conditions, notification.ConditionReady); ready != nil {
		return ready.Message
	}
	return "it has no path"
}
