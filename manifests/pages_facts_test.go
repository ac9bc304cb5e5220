package manifests_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/app"
)

// TestPagesNameWhatExists looks for the flags and metrics that the pages on operation and security name.
func TestPagesNameWhatExists(t *testing.T) {
	options := app.DefaultOptions()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	options.AddFlags(flags)
	metrics := readPage(t, "../README.md")
	flag := regexp.MustCompile(`--[a-z][a-zA-Z-]+`)
	metric := regexp.MustCompile(`\b(notification|gotk|leader_election)_[a-z_]+`)
	for _, path := range []string{"OPERATIONS.md", "SECURITY.md"} {
		page := readPage(t, path)
		for _, name := range flag.FindAllString(page, -1) {
			if flags.Lookup(name[2:]) == nil {
				t.Errorf("%s names the flag %s, which there is not", path, name)
			}
		}
		for _, name := range metric.FindAllString(page, -1) {
			if !strings.Contains(metrics, "`"+strings.TrimSuffix(name, "_bucket")+"`") {
				t.Errorf("%s names the metric %s, which README.md does not have", path, name)
			}
		}
	}
}

// TestSecurityPageHasAllRights compares the page's tables with the rules of the roles, in both directions.
func TestSecurityPageHasAllRights(t *testing.T) {
	var want []string
	for _, file := range []string{"rbac/controller.yaml", "rbac/leader-election.yaml"} {
		var role rbacv1.ClusterRole
		document, _, _ := strings.Cut(readPage(t, file), "\n---\n")
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			resources := slices.Concat(rule.Resources, rule.NonResourceURLs)
			want = append(want, "`"+strings.Join(resources, "`, `")+"` | "+strings.Join(rule.Verbs, ", "))
		}
	}
	page := readPage(t, "SECURITY.md")
	rows := regexp.MustCompile("(?m)^\\| (`[^|]+` \\| [a-z, ]+) \\|")
	var got []string
	for _, row := range rows.FindAllStringSubmatch(page, -1) {
		got = append(got, row[1])
	}
	equal(t, "rights on the page", got, want)
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
