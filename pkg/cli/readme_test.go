package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const (
	readme = "README.md"
	// documented is the address of a service in the examples.
	documented = "http://127.0.0.1:8080"
)

// examples are the blocks of a page that begin with one of our commands.
var examples = regexp.MustCompile("(?s)```console\n\\$ notification-controller .*?```\n")

// TestReadme runs the examples of the pages and compares what they print. With UPDATE_README=1 in the environment it
// writes that.
func TestReadme(t *testing.T) {
	pages := map[string]string{}
	for _, page := range []string{readme, "../../README.md"} {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Abs(page)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(content)
	}
	service := exampleDir(t)
	for page, content := range pages {
		ran := examples.ReplaceAllStringFunc(content, func(block string) string { return runExample(t, block, service) })
		if ran == content {
			continue
		}
		if os.Getenv("UPDATE_README") == "" {
			t.Errorf("%s is not what the commands print (UPDATE_README=1 rewrites it); it would be:\n%s", page, ran)
		} else if err := os.WriteFile(page, []byte(ran), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// exampleDir changes to a copy of the folder of the examples, with the address of a service that refuses everything,
// which it returns.
func exampleDir(t *testing.T) string {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, `{"error":"unknown signature"}`)
	}))
	t.Cleanup(service.Close)
	files, err := filepath.Glob("testdata/shop/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	dir := t.TempDir()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content = []byte(strings.ReplaceAll(string(content), documented, service.URL))
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return service.URL
}

// runExample runs the commands of a block and returns the block with what they print.
func runExample(t *testing.T, block, service string) string {
	t.Helper()
	var ran strings.Builder
	ran.WriteString("```console\n")
	code := 0
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		ran.WriteString(line)
		words := strings.Fields(command)
		switch {
		case strings.TrimSpace(command) == "echo $?":
			fmt.Fprintln(&ran, code)
		case words[0] == "notification-controller":
			got := run(t, "", words[1:]...)
			code = got.code
			ran.WriteString(strings.ReplaceAll(got.out+got.err, service, documented))
		default:
			t.Errorf("not a command that this test knows: %s", command)
		}
	}
	ran.WriteString("```\n")
	return ran.String()
}

// TestFieldsInReadme compares the table of fields with the types.
func TestFieldsInReadme(t *testing.T) {
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(content), "## JSON")
	fields := map[string]bool{}
	for _, answer := range []any{deliveries{}, eventReport{}, alertReport{}, providerReport{}, exchange{}, webhook{}, receiverReport{}, objectReport{}, paths{}} {
		for i := range reflect.TypeOf(answer).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(answer).Field(i).Tag.Get("json"), ",")
			fields[name] = true
			if !strings.Contains(table, "`"+name+"`") {
				t.Errorf("the field %q of %T is not documented", name, answer)
			}
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\|[^|]*\|([^|]*)\|`).FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			if !fields[name[1]] {
				t.Errorf("the field %q is documented, but there is none", name[1])
			}
		}
	}
}
