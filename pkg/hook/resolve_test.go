package hook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// all selects the repositories with labels, and has a filter.
func all(labels map[string]string, filter string) v1.ResourceReference {
	return entry("*", func(e *v1.ResourceReference) { e.MatchLabels, e.Filter = labels, filter })
}

// TestTooManyCandidates has Receivers whose entries select each of 101 objects again and again.
func TestTooManyCandidates(t *testing.T) {
	const there = 101
	for _, test := range []struct {
		name   string
		filter func(entry int) string
		// found is how many candidates there are, past the place in spec.resources of the problem; 0 for none.
		found, past int
	}{
		{"no filters", func(int) string { return "" }, there, 0},
		{"the same filter", func(int) string { return "true" }, there, 0},
		{"two filters", func(i int) string { return fmt.Sprintf("%d >= 0", i%2) }, 2 * there, 0},
		{"as many filters", func(i int) string { return fmt.Sprintf("%d >= 0", i) }, maxCandidates, maxCandidates / there},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := receiver(func(r *v1.Receiver) {
				r.Spec.Resources = nil
				for i := range 200 {
					r.Spec.Resources = append(r.Spec.Resources, all(map[string]string{}, test.filter(i)))
				}
			})
			f := newFixture(t, r)
			f.objects.byKind[gitRepository] = nil
			for i := range there {
				f.objects.byKind[gitRepository] = append(f.objects.byKind[gitRepository], object(fmt.Sprint("shop-", i), nil))
			}
			found, problems := f.resolve(r)
			if len(found) != test.found || len(problems) != min(test.past, 1) {
				t.Errorf("%d candidates, problems: %v", len(found), problems)
			}
			got, warnings := f.do(push()), f.warnings()
			if test.past == 0 {
				if got.status != http.StatusAccepted || len(warnings) > 0 {
					t.Errorf("%d %q, %q", got.status, got.text, warnings)
				}
				return
			}
			want := fmt.Sprintf("spec.resources[%d]: this entry and those before it select more than 10000 objects", test.past)
			if got.status != http.StatusInternalServerError || len(warnings) != 1 || !strings.Contains(warnings[0], want) {
				t.Errorf("%d %q, %q; want %q", got.status, got.text, warnings, want)
			}
			if len(f.queue.targets) != test.found {
				t.Errorf("%d annotations are asked for", len(f.queue.targets))
			}
		})
	}
}

// BenchmarkManyEntries resolves Receivers about as long as the API server stores them.
func BenchmarkManyEntries(b *testing.B) {
	for name, entryOf := range map[string]func(i int) v1.ResourceReference{
		"same":       func(int) v1.ResourceReference { return all(map[string]string{}, "") },
		"filters":    func(i int) v1.ResourceReference { return all(map[string]string{}, fmt.Sprint(i, " > 0")) },
		"no objects": func(int) v1.ResourceReference { return all(map[string]string{"a": "1"}, "") },
	} {
		b.Run(name, func(b *testing.B) {
			r := receiver(func(r *v1.Receiver) {
				r.Spec.Resources = nil
				for i := range 10_000 {
					r.Spec.Resources = append(r.Spec.Resources, entryOf(i))
				}
			})
			f := newFixture(b, r)
			for i := range 100 {
				f.objects.byKind[gitRepository] = append(f.objects.byKind[gitRepository], object(fmt.Sprint("shop-", i), nil))
			}
			b.ReportAllocs()
			for b.Loop() {
				f.resolve(r)
			}
		})
	}
}
