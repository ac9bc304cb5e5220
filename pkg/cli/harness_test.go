package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// result is what a run of a subcommand leaves.
type result struct {
	code     int
	out, err string
}

// run runs a subcommand. A kubeconfig is not to be found unless it says where.
func run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	var out, errs bytes.Buffer
	code := Run(t.Context(), args, Streams{strings.NewReader(stdin), &out, &errs}, pflag.NewFlagSet("", pflag.ContinueOnError))
	return result{code, out.String(), errs.String()}
}

// write writes a file and returns its name.
func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// lines are those of a text, without the space around them.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, strings.TrimSpace(line))
	}
	return all
}
