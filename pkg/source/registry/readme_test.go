package registry_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"text/template"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
)

const readme = "../README.md"

// readmeRow is a row of the README's table.
type readmeRow struct {
	Name, Title, Check, Headers, Keys, Events string
	// About is what there is to say before Example, which is a call by shell.
	About, Example string
}

// TestReadme compares the README with what the table makes of it, or writes it.
func TestReadme(t *testing.T) {
	want := renderReadme(t)
	if os.Getenv("UPDATE_README") != "" {
		if err := os.WriteFile(readme, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("pkg/source/README.md is not that of the table; run: UPDATE_README=1 go test -run TestReadme ./pkg/source/registry")
	}
}

func renderReadme(t *testing.T) []byte {
	t.Helper()
	page, err := template.ParseFiles("testdata/README.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ Rows []readmeRow }
	for _, row := range registry.Types() {
		content.Rows = append(content.Rows, readmeRowOf(t, row))
	}
	var out bytes.Buffer
	if err := page.Execute(&out, content); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readmeRowOf(t *testing.T, row source.Type) readmeRow {
	r := readmeRow{
		Name: row.Name, Title: row.Title,
		Check:   strings.NewReplacer("<", "&lt;", "|", `\|`).Replace(row.Check), // As in <algorithm>=<hex>.
		Headers: code(row.Headers), Keys: code(append([]string{source.TokenKey}, row.Keys...)), Events: "–",
		About: exampleOf(t, row, aboutExtension), Example: exampleOf(t, row, callExtension),
	}
	if row.Name == v1.GenericOIDCReceiver {
		r.Keys = "no Secret"
	}
	if row.HasEvents {
		r.Events = "yes"
	}
	return r
}

// code writes names as code, and a dash if there are none.
func code(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

// exampleOf is the call of a type, or what there is to say before it, which most do not need.
func exampleOf(t *testing.T, row source.Type, extension string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/examples/" + row.Name + extension)
	if err != nil && (extension != aboutExtension || !errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	return string(text)
}

// The files in testdata/examples, by type.
const (
	callExtension  = ".sh"
	aboutExtension = ".md"
)
