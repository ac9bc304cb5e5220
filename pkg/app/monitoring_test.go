package app

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/peertest"
)

const monitoring = "../../manifests/monitoring/"

// TestMonitoringNames looks up every metric and label that the alert rules and the dashboard name.
func TestMonitoringNames(t *testing.T) {
	families := metricFamilies(t)
	used := map[string]bool{}
	for place, expression := range expressions(t) {
		metrics, labels := namesIn(expression)
		if len(metrics) == 0 {
			t.Errorf("%s: no metrics found in %s", place, expression)
		}
		// What Prometheus adds to all that it scrapes.
		known := []string{"namespace", "pod", "le"}
		for _, metric := range metrics {
			family, ok := lookUp(families, metric)
			if !ok {
				t.Errorf("%s: there is no metric %s", place, metric)
			}
			known = append(known, family.labels...)
			used[family.name] = true
		}
		for _, label := range labels {
			if !slices.Contains(known, label) {
				t.Errorf("%s: no metric of it has the label %s: %s", place, label, expression)
			}
		}
	}
	for _, family := range families {
		if family.prefix() == "notification" && !used[family.name] {
			t.Errorf("neither the rules nor the dashboard use %s", family.name)
		}
	}
}

// lookUp finds the metric that a name in an expression belongs to.
func lookUp(families []metricFamily, name string) (metricFamily, bool) {
	for _, suffix := range []string{"", "_bucket", "_count", "_sum"} {
		base, ok := strings.CutSuffix(name, suffix)
		i := slices.IndexFunc(families, func(f metricFamily) bool { return f.name == base })
		if ok && i >= 0 {
			return families[i], true
		}
	}
	return metricFamily{}, false
}

// expressions are those of the rules and the dashboard, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(readFile(t, monitoring+"rules.yaml"), &rules); err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	if err := json.Unmarshal(readFile(t, monitoring+"dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			found["rule "+rule.Alert] = rule.Expr
		}
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			found["panel "+panel.Title+" "+target.RefID] = target.Expr
		}
	}
	for _, variable := range dashboard.Templating.List {
		if query, ok := variable.Query.(map[string]any); ok {
			found["variable "+variable.Name], _ = query["query"].(string)
		}
	}
	if len(found) < len(rules.Groups)+len(dashboard.Panels)/2 {
		t.Fatalf("only %d expressions found", len(found))
	}
	return found
}

var (
	stringPattern   = regexp.MustCompile(`"[^"]*"`)
	rangePattern    = regexp.MustCompile(`\[[^\]]*\]|\boffset\s+\w+`)
	groupingPattern = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	variablePattern = regexp.MustCompile(`label_values\((\w+), (\w+)\)`)
	matcherPattern  = regexp.MustCompile(`\{([^}]*)\}`)
	labelPattern    = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	// namePattern leaves out what a parenthesis follows: functions.
	namePattern = regexp.MustCompile(`\b[a-z]\w*\b\s*(\()?`)
)

// namesIn returns the metrics and labels of an expression in PromQL. It knows of the language what ours use.
func namesIn(expression string) (metrics, labels []string) {
	text := stringPattern.ReplaceAllString(expression, "")
	text = rangePattern.ReplaceAllString(text, "")
	text = variablePattern.ReplaceAllString(text, "sum by ($2) ($1)")
	for _, grouping := range groupingPattern.FindAllStringSubmatch(text, -1) {
		labels = append(labels, strings.Fields(strings.ReplaceAll(grouping[1], ",", " "))...)
	}
	text = groupingPattern.ReplaceAllString(text, "")
	for _, matcher := range matcherPattern.FindAllStringSubmatch(text, -1) {
		for _, label := range labelPattern.FindAllStringSubmatch(matcher[1], -1) {
			labels = append(labels, label[1])
		}
	}
	text = matcherPattern.ReplaceAllString(text, "")
	operators := []string{"and", "or", "unless", "sum", "min", "max", "count"}
	for _, name := range namePattern.FindAllStringSubmatch(text, -1) {
		if word := strings.TrimSpace(name[0]); name[1] == "" && !slices.Contains(operators, word) {
			metrics = append(metrics, word)
		}
	}
	return metrics, labels
}

// TestPrometheusRule compares the rules for the Prometheus Operator with the rule file. With UPDATE_README=1 in the
// environment it writes them.
func TestPrometheusRule(t *testing.T) {
	const path = monitoring + "prometheus-rule.yaml"
	_, groups, ok := strings.Cut(string(readFile(t, monitoring+"rules.yaml")), "\ngroups:\n")
	if !ok {
		t.Fatal("rules.yaml has no groups")
	}
	want := `# Written by make generate from rules.yaml. Do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: notification-controller
  namespace: flux-system
  labels:
    app.kubernetes.io/component: monitoring
    app.kubernetes.io/part-of: flux
spec:
  groups:
`
	for line := range strings.Lines(groups) {
		if line != "\n" {
			line = "  " + line
		}
		want += line
	}
	if os.Getenv(updateReadme) != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(readFile(t, path)); got != want {
		t.Errorf("%s is out of date; run: make generate", path)
	}
}

// TestAlertRules has Prometheus' own tool check the rules, and evaluate them over what rules_test.yaml makes up.
func TestAlertRules(t *testing.T) {
	promtool := peertest.Find(t, "peers", "promtool")
	for _, args := range [][]string{
		{"check", "rules", "--lint-fatal", "rules.yaml"},
		{"test", "rules", "rules_test.yaml"},
	} {
		command := exec.Command(promtool, args...)
		command.Dir = monitoring
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	}
}

// TestAlertRulesAreTested wants a case in rules_test.yaml for every rule, in which it fires.
func TestAlertRulesAreTested(t *testing.T) {
	cases := string(readFile(t, monitoring+"rules_test.yaml"))
	for place := range expressions(t) {
		name, ok := strings.CutPrefix(place, "rule ")
		if ok && !strings.Contains(cases, `alertname="`+name+`"`) && !strings.Contains(cases, "alertname: "+name) {
			t.Errorf("rules_test.yaml has no case for %s", name)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
