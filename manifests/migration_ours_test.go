package manifests_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/app"
)

// TestMigrationOfOurs looks on the page for all that we have and Flux 1.9 has not.
func TestMigrationOfOurs(t *testing.T) {
	content, err := os.ReadFile(migrationPage)
	if err != nil {
		t.Fatal(err)
	}
	_, page, found := strings.Cut(string(content), "\n## What is ours, and goes\n")
	if !found {
		t.Fatalf("%s has no such part", migrationPage)
	}
	said := func(what, name string) {
		t.Helper()
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("%s does not say that %s %s is ours", migrationPage, what, name)
		}
	}

	for _, k := range kinds() {
		ours, flux := storageSchema(t, readCRD(t, "crd/"+notification.GroupName+"_"+k.resource+".yaml")), storageSchema(t, fluxCRD(t, k, newest))
		for _, part := range []string{"spec", "status"} {
			known, all := map[string]bool{}, map[string]bool{}
			addDeclared(known, k.name, property(flux, part))
			addDeclared(all, k.name, property(ours, part))
			for field := range all {
				parent, name := field[:max(0, strings.LastIndexByte(field, '.'))], field[strings.LastIndexByte(field, '.')+1:]
				// What belongs to a field of ours is said with that. Of conditions the stand-in has not the fields, which
				// are Kubernetes' own.
				if !known[field] && known[parent] && !strings.HasSuffix(parent, ".conditions[]") {
					said("the field", name)
				}
			}
		}
		known, _, _ := unstructured.NestedSlice(property(property(flux, "spec"), "type"), "enum")
		all, _, _ := unstructured.NestedSlice(property(property(ours, "spec"), "type"), "enum")
		for _, name := range all {
			if !slices.Contains(known, name) {
				said("the type", name.(string))
			}
		}
	}

	options := app.DefaultOptions()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	options.AddFlags(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(fluxFlags(), flag.Name) {
			said("the flag", "--"+flag.Name)
		}
	})
}

// fluxFlags are the flags of Flux 1.9.
func fluxFlags() []string {
	return strings.Fields(`metrics-addr events-addr health-addr receiverAddr concurrent rate-limit-interval
		export-http-path-metrics watch-all-namespaces watch-configs-label-selector kube-api-qps kube-api-burst
		log-encoding log-level enable-leader-election leader-election-release-on-cancel leader-election-lease-duration
		leader-election-renew-deadline leader-election-retry-period no-cross-namespace-refs min-retry-delay
		max-retry-delay feature-gates token-cache-max-size token-cache-max-duration default-service-account`)
}

func readCRD(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(content))
}

// storageSchema returns the schema of what is stored.
func storageSchema(t *testing.T, crd *unstructured.Unstructured) map[string]any {
	t.Helper()
	versions := slice(t, crd.Object, "spec", "versions")
	i := slices.IndexFunc(versions, func(v any) bool { return v.(map[string]any)["storage"] == true })
	schema, _, _ := unstructured.NestedMap(versions[i].(map[string]any), "schema", "openAPIV3Schema")
	return schema
}

// property returns the schema of a field.
func property(schema map[string]any, name string) map[string]any {
	found, _, _ := unstructured.NestedMap(schema, "properties", name)
	return found
}
