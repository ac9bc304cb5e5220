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
	// updateReadme is the environment variable that has the table written instead of compared.
	updateReadme = "UPDATE_README"
	// flagsBegin and flagsEnd stand around the table.
	flagsBegin = "<!-- flags, written by make generate -->\n"
	flagsEnd   = "<!-- end of flags -->\n"
)

// TestFlagsInReadme compares the table of flags in the README with the flags. With UPDATE_README=1 in the environment
// it writes the table.
func TestFlagsInReadme(t *testing.T) {
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), flagsBegin)
	table, after, ends := strings.Cut(rest, flagsEnd)
	if !begins || !ends {
		t.Fatalf("the README lacks the lines %q and %q", flagsBegin, flagsEnd)
	}
	want := flagTable()
	if table == want {
		return
	}
	if os.Getenv(updateReadme) == "" {
		t.Fatalf("the flags in the README are out of date; run: make generate\ngot:\n%s\nwant:\n%s", table, want)
	}
	if err := os.WriteFile(readme, []byte(before+flagsBegin+want+flagsEnd+after), 0o644); err != nil {
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
