package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// gateWorkloadIdentity is the server's feature gate for spec.serviceAccountName.
const gateWorkloadIdentity = "ObjectLevelWorkloadIdentity"

// options are the flags that all subcommands have.
type options struct {
	Streams
	files     []string
	recursive bool
	output    string

	kubeconfig, context, namespace string

	// Flags of the server that change its answers.
	noCrossNamespace bool
	featureGates     map[string]string
	window           time.Duration
	cluster          string
	clusterInStatus  bool
	denyCIDRs        []string
	defaultAccount   string
}

func (o *options) addFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVarP(&o.files, "filename", "f", nil, "file, directory, or - for stdin; may be repeated")
	flags.BoolVarP(&o.recursive, "recursive", "R", false, "read the directories in directories too")
	flags.StringVarP(&o.output, "output", "o", "", "json, or nothing for people")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster that is asked if no file has any objects")
	flags.StringVar(&o.context, "context", "", "context of the kubeconfig")
	flags.StringVarP(&o.namespace, "namespace", "n", "", "namespace of what is named, and of objects in files that have none")
	// The flag has no value that it could not take.
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveNoFileComp))
}

// addServerFlags adds those flags of the server that change what becomes of an event.
func (o *options) addServerFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.BoolVar(&o.noCrossNamespace, "no-cross-namespace-refs", false, "as the server has it: block references to objects in other namespaces")
	flags.StringToStringVar(&o.featureGates, "feature-gates", nil, "as the server has it: "+gateWorkloadIdentity+"=true")
	flags.DurationVar(&o.window, "rate-limit-interval", 5*time.Minute, "as the server has it: time in which a repeated event is refused")
	flags.StringVar(&o.cluster, "cluster-name", "", "as the server has it: entry cluster in the metadata of every notification")
	flags.BoolVar(&o.clusterInStatus, "cluster-name-in-commit-status", false, "as the server has it: have the ids of commit statuses begin with --cluster-name")
	flags.StringVar(&o.defaultAccount, "default-service-account", "", "as the server has it: ServiceAccount of Providers that name none")
	o.addDenyFlag(c)
}

// addDenyFlag adds the flag that says what is not connected to.
func (o *options) addDenyFlag(c *cobra.Command) {
	c.Flags().StringSliceVar(&o.denyCIDRs, "provider-deny-cidrs", nil, "as the server has it: ranges of addresses where Providers, and the issuers of Receivers, are not looked for")
}

// check says what is wrong with the flags.
func (o *options) check() error {
	if o.output != "" && o.output != "json" {
		return fmt.Errorf("--output: %q is not json", o.output)
	}
	for name, value := range o.featureGates {
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("--feature-gates: %s: %q is neither true nor false", name, value)
		}
	}
	if o.defaultAccount != "" && !o.gate(gateWorkloadIdentity) {
		return fmt.Errorf("--default-service-account needs --feature-gates=%s=true", gateWorkloadIdentity)
	}
	_, err := o.egress()
	return err
}

// egress is what the flag says.
func (o *options) egress() (*httpx.Egress, error) {
	egress, err := httpx.NewEgress(o.denyCIDRs)
	if err != nil {
		return nil, fmt.Errorf("--provider-deny-cidrs: %w", err)
	}
	return egress, nil
}

// gate says whether a feature gate is on. check has looked at the values.
func (o *options) gate(name string) bool {
	on, _ := strconv.ParseBool(o.featureGates[name])
	return on
}

// answer prints what a subcommand found out, as JSON or for people, and returns errNo if that is a no.
func (o *options) answer(yes bool, document any, people func(io.Writer)) error {
	if o.output == "json" {
		encoder := json.NewEncoder(o.Out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(document); err != nil {
			return err
		}
	} else {
		people(o.Out)
	}
	if !yes {
		return errNo
	}
	return nil
}

// read reads the files, and from the cluster the given kinds if the files have no objects.
func (o *options) read(ctx context.Context, kinds ...kind) (*input, *inventory, error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	in, err := o.readFiles()
	if err != nil {
		return nil, nil, err
	}
	if len(in.objects) > 0 {
		inv, err := o.fromFiles(in)
		return in, inv, err
	}
	inv, err := o.fromCluster(ctx, kinds)
	return in, inv, err
}

// warn says what is odd but keeps nothing from going on.
func (o *options) warn(format string, args ...any) {
	fmt.Fprintf(o.Err, "warning: "+format+"\n", args...)
}
