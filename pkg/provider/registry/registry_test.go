package registry

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func TestTypesAreSorted(t *testing.T) {
	names := names()
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
	if compact := slices.Compact(names); len(compact) != len(Types()) {
		t.Errorf("a type has two rows: %v", names)
	}
	for _, row := range Types() {
		if !slices.IsSorted(row.SecretKeys) || !slices.IsSorted(row.RequiredKeys) {
			t.Errorf("%s: the keys are not sorted", row.Name)
		}
	}
}

func TestLookup(t *testing.T) {
	registry := New()
	for _, want := range Types() {
		if row, ok := registry.Lookup(want.Name); !ok || row.Title != want.Title {
			t.Errorf("Lookup(%q) = %+v, %t", want.Name, row, ok)
		}
	}
	for _, name := range []string{"", "none", "Slack"} {
		if _, ok := registry.Lookup(name); ok {
			t.Errorf("Lookup(%q) found something", name)
		}
	}
}

// TestTypesAreThoseOfTheAPI compares the table with the API types, with the CRD and with the README, since all four are
// written apart: none knows a type that another lacks.
func TestTypesAreThoseOfTheAPI(t *testing.T) {
	const all = 34
	if got := len(Types()); got != all {
		t.Errorf("%d types, want %d", got, all)
	}
	source, err := os.ReadFile("../../apis/notification/v1beta3/provider_types.go")
	if err != nil {
		t.Fatal(err)
	}
	marker := regexp.MustCompile(`// Type of the service.*\n\s*// \+kubebuilder:validation:Enum=(\S+)`).FindSubmatch(source)
	if marker == nil {
		t.Fatal("no enum marker at the field Type")
	}
	checkNames(t, "the enum of the API type", strings.Split(string(marker[1]), ";"))
	for _, version := range crdVersions(t) {
		checkNames(t, "the enum of the CRD's version "+version.Name,
			version.Schema.OpenAPIV3Schema.Properties["spec"].Properties["type"].Enum)
	}
	var documented []string
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^  type: (\S+)$`).FindAllSubmatch(text, -1) {
		documented = append(documented, string(match[1]))
	}
	checkNames(t, "the README's examples", documented)
}

// checkNames checks that what a place lists is the table, in any order.
func checkNames(t *testing.T, place string, got []string) {
	t.Helper()
	if want := names(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("%s has %v, want %v", place, got, want)
	}
}

// crdVersion is as much of a version of a CRD as it takes to find an enum.
type crdVersion struct {
	Name   string
	Schema struct {
		OpenAPIV3Schema struct {
			Properties map[string]struct {
				Properties map[string]struct {
					Enum []string `json:"enum"`
				} `json:"properties"`
			} `json:"properties"`
		} `json:"openAPIV3Schema"`
	} `json:"schema"`
}

func crdVersions(t *testing.T) []crdVersion {
	t.Helper()
	text, err := os.ReadFile("../../../manifests/crd/notification.toolkit.fluxcd.io_providers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct{ Versions []crdVersion } `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	if len(crd.Spec.Versions) == 0 {
		t.Error("the CRD has no versions")
	}
	return crd.Spec.Versions
}

// TestFamilies compares the table with what the specification says of groups of types.
func TestFamilies(t *testing.T) {
	for _, row := range Types() {
		generic := strings.HasPrefix(row.Name, "generic")
		comment := strings.HasSuffix(row.Name, "requestcomment")
		if generic != (row.Family == provider.FamilyGeneric) || comment != (row.Family == provider.FamilyChangeRequest) {
			t.Errorf("%s is of family %d", row.Name, row.Family)
		}
		commitStatus := slices.Contains([]string{"azuredevops", "bitbucket", "bitbucketserver", "gitea", "github", "gitlab"}, row.Name)
		if commitStatus != (row.Family == provider.FamilyCommitStatus) || commitStatus != row.SecretTLS {
			t.Errorf("%s is of family %d, TLS in its Secret: %t", row.Name, row.Family, row.SecretTLS)
		}
	}
}

// TestSkips compares the table with what the specification says that types do not send.
func TestSkips(t *testing.T) {
	progressing, source := providertest.InfoNotification(), providertest.InfoNotification()
	progressing.Event.Reason = "Progressing"
	source.Event.InvolvedObject.Kind = "HelmRepository"
	skips := func(row provider.Type, n *provider.Notification) bool { return row.Skips(n, false) }
	for _, row := range Types() {
		if row.Family == provider.FamilyCommitStatus {
			continue
		}
		if skips(row, providertest.Notification()) || skips(row, providertest.InfoNotification()) {
			t.Errorf("%s skips what every type sends", row.Name)
		}
		if want := row.Name == "pagerduty" || row.Name == "incident.io"; skips(row, progressing) != want {
			t.Errorf("%s skips work in progress: %t", row.Name, !want)
		}
		closes := slices.Contains([]string{"alertmanager", "incident.io", "opsgenie", "pagerduty"}, row.Name)
		if row.Skips(progressing, true) != closes || row.Skips(providertest.Notification(), true) || row.Skips(providertest.InfoNotification(), true) {
			t.Errorf("%s does not skip work in progress alone if it closes what a failure opened: %t", row.Name, closes)
		}
		if want := row.Name == "otel"; skips(row, source) != want {
			t.Errorf("%s skips HelmRepositories: %t", row.Name, !want)
		}
	}
}

// TestIncidentsAreInOrder checks that what opens an incident and what closes it cannot overtake each other.
func TestIncidentsAreInOrder(t *testing.T) {
	other := providertest.Notification()
	other.Event.InvolvedObject.Name = "other"
	for _, name := range []string{"alertmanager", "incident.io", "opsgenie", "pagerduty"} {
		row, _ := New().Lookup(name)
		failed, succeeded := row.OrderingKey(providertest.Notification()), row.OrderingKey(providertest.InfoNotification())
		if failed != succeeded || failed == "" || failed == row.OrderingKey(other) {
			t.Errorf("%s: keys %q and %q", name, failed, succeeded)
		}
	}
}

func names() []string {
	var names []string
	for _, row := range Types() {
		names = append(names, row.Name)
	}
	return names
}
