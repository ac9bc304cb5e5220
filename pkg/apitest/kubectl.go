package apitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// commandTimeout is well above what kubectl and controlplane need or wait for by themselves.
const commandTimeout = time.Minute

// Kubectl runs kubectl as an administrator and returns what it prints on stdout. It fails the test if kubectl fails.
func (c *ControlPlane) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	output, err := c.TryKubectl("", args...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// Apply applies a manifest, of one or several objects, with kubectl. It fails the test if kubectl fails.
func (c *ControlPlane) Apply(t testing.TB, manifest string) {
	t.Helper()
	if _, err := c.TryKubectl(manifest, "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

// TryKubectl runs kubectl as an administrator and returns what it prints on stdout. What it prints on stderr is in the
// error if it fails. It is killed after a minute.
func (c *ControlPlane) TryKubectl(stdin string, args ...string) (string, error) {
	return c.run("kubectl", stdin, args...)
}

// FinalizeNamespace does what the namespace controller would for a namespace that has been deleted: it deletes all in
// it, then lets the namespace go. It fails the test if something stays because of a finalizer.
func (c *ControlPlane) FinalizeNamespace(t testing.TB, name string) {
	t.Helper()
	if _, err := c.run("controlplane", "", "finalize-namespace", name); err != nil {
		t.Fatal(err)
	}
}

// TokenConfig returns a client configuration of a ServiceAccount, by a token that the API server has just issued.
func (c *ControlPlane) TokenConfig(t testing.TB, namespace, serviceAccount string) *rest.Config {
	t.Helper()
	token := c.Kubectl(t, "create", "token", serviceAccount, "--namespace", namespace)
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = strings.TrimSpace(token)
	return config
}

// Env returns the environment for a command to which this control plane is the current cluster and which finds
// kubectl in its PATH.
func (c *ControlPlane) Env() []string {
	return append(os.Environ(),
		"KUBECONFIG="+c.Kubeconfig(),
		"PATH="+c.binaries+string(filepath.ListSeparator)+os.Getenv("PATH"),
		// kubectl's cache goes by host and port, which soon belong to another control plane.
		"KUBECACHEDIR="+filepath.Join(c.dir, "kubectl"),
		// The preferences of whoever runs the tests are not theirs.
		"KUBERC=off",
	)
}

// run runs one of the binaries and returns what it prints on stdout.
func (c *ControlPlane) run(name, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), commandTimeout,
		fmt.Errorf("killed after %s", commandTimeout))
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(c.binaries, name), args...)
	command.Env = c.Env()
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, context.Cause(ctx))
		}
		return stdout.String(), fmt.Errorf("%s %s: %w: %s",
			name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
