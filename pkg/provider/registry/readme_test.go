package registry

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const readme = "../README.md"

// readmeRow is what the README says of a type.
type readmeRow struct {
	provider.Type
	Anchor, Events, Keys string
	// Example is a manifest.
	Example string
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
		t.Error("pkg/provider/README.md is not that of the table; run: UPDATE_README=1 go test -run TestReadme ./pkg/provider/registry")
	}
}

// TestRowsAreDocumented finds what the README lacks.
func TestRowsAreDocumented(t *testing.T) {
	for _, row := range Types() {
		if row.Sends == "" || row.Address == "" {
			t.Errorf("%s: the README does not say what is sent, or where", row.Name)
		}
		if want := row.Name != "telegram"; strings.Contains(keys(row), "`address`") != want || row.NeedsAddress && !want {
			t.Errorf("%s: the README says that the Secret may have an address: %t", row.Name, !want)
		}
		for _, text := range []string{row.Sends, row.Limits, row.Notes} {
			if text != "" && !strings.HasSuffix(text, ".") {
				t.Errorf("%s: not a sentence: %s", row.Name, text)
			}
		}
	}
	entries, err := os.ReadDir("testdata/examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains(names(), strings.TrimSuffix(entry.Name(), ".yaml")) {
			t.Errorf("%s is an example of no type", entry.Name())
		}
	}
}

func renderReadme(t *testing.T) []byte {
	t.Helper()
	page, err := template.ParseFiles("testdata/README.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var rows []readmeRow
	for _, row := range Types() {
		rows = append(rows, readmeRow{
			Type: row, Anchor: strings.ReplaceAll(row.Name, ".", ""), Events: events(row), Keys: keys(row), Example: example(t, row),
		})
	}
	var out bytes.Buffer
	if err := page.Execute(&out, rows); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// events says which events a type sends.
func events(row provider.Type) string {
	text := map[provider.Family]string{
		provider.FamilyOther:         "all but commit status updates",
		provider.FamilyGeneric:       "all",
		provider.FamilyCommitStatus:  "errors, and those about a commit",
		provider.FamilyChangeRequest: "those about a change request",
	}[row.Family]
	progressing, source := providertest.InfoNotification(), providertest.InfoNotification()
	progressing.Event.Reason = "Progressing"
	source.Event.InvolvedObject.Kind = "HelmRepository"
	if row.Skips(progressing, false) {
		text += "; not that work has begun"
	}
	if row.Skips(source, false) {
		text += "; not those about HelmRepositories"
	}
	return text
}

// unused begins what a row says of an address that its type does not read.
const unused = "not used"

// keys writes the keys of the Secret as code, in bold those that have to be there.
func keys(row provider.Type) string {
	if !strings.HasPrefix(row.Address, unused) {
		row.SecretKeys = append([]string{"address"}, row.SecretKeys...)
	}
	var texts []string
	for _, key := range row.SecretKeys {
		text := "`" + key + "`"
		if slices.Contains(row.RequiredKeys, key) {
			text = "**" + text + "**"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// example is the manifest in testdata/examples.
func example(t *testing.T, row provider.Type) string {
	t.Helper()
	text, err := os.ReadFile("testdata/examples/" + row.Name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
