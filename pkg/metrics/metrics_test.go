package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExposition(t *testing.T) {
	m := New()
	m.CacheSync(func(report func(string, bool)) {
		report("Alert", true)
		report("Kustomization", false)
	})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`notification_cache_synced{kind="Alert"} 1`,
		`notification_cache_synced{kind="Kustomization"} 0`,
		`notification_build_info{goversion="go1.`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q is not in the exposition", want)
		}
	}
}
