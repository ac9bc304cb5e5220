package app

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

const (
	readme = "../../README.md"
	// updateReadme is the environment variable that has the tables written instead of compared.
	updateReadme = "UPDATE_README"
)

// TestFlagsInReadme compares the table of flags in the README with the flags. With UPDATE_README=1 in the environment
// it writes the table.
func TestFlagsInReadme(t *testing.T) { checkReadme(t, "flags", flagTable()) }

// checkReadme compares what the README has between the comments around the named table, or writes it.
func checkReadme(t *testing.T, name, want string) {
	t.Helper()
	begin, end := "<!-- "+name+", written by make generate -->\n", "<!-- end of "+name+" -->\n"
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), begin)
	table, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("the README lacks the lines %q and %q", begin, end)
	}
	if table == want {
		return
	}
	if os.Getenv(updateReadme) == "" {
		t.Fatalf("the %s in the README are out of date; run: make generate\ngot:\n%s\nwant:\n%s", name, table, want)
	}
	if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// flagTable returns the flags as a table in Markdown, in the order in which they are declared.
func flagTable() string {
	options := DefaultOptions()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	options.AddFlags(flags)
	var table strings.Builder
	table.WriteString("| flag | default | what it is |\n| --- | --- | --- |\n")
	flags.VisitAll(func(f *pflag.Flag) {
		value := ""
		if f.DefValue != "" && f.DefValue != "[]" {
			value = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&table, "| `--%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(f.Usage, "|", `\|`))
	})
	return table.String()
}
