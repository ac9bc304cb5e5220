package metrics

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/controller"
)

// expect looks for lines of the exposition, of each of which the beginning is given.
func expect(t *testing.T, m *Metrics, lines ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range lines {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("%q is not in the exposition", want)
		}
	}
}

func TestExposition(t *testing.T) {
	m := New()
	m.CacheSync(func(report func(string, bool)) {
		report("Alert", true)
		report("Kustomization", false)
	})
	expect(t, m,
		`notification_cache_synced{kind="Alert"} 1`,
		`notification_cache_synced{kind="Kustomization"} 0`,
		`notification_build_info{goversion="go1.`,
		// Not among those that Prometheus' library takes by itself.
		`go_sched_latencies_seconds_count `,
	)
}

// TestLoop has a worker loop whose passes end in every way that is counted.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New()
		loop := controller.NewLoop(controller.Options[string]{
			Name: "alert", Workers: 3, Backoff: controller.Backoff{Min: time.Hour, Max: time.Hour}, Observer: m, Metrics: m.Queues(),
			Sync: func(ctx context.Context, key string) (controller.Result, error) {
				switch key {
				case "hangs":
					<-ctx.Done()
					return controller.Result{}, nil
				case "fails":
					return controller.Result{Terminal: true}, errors.New("not written")
				case "panics":
					panic("boom")
				}
				return controller.Result{Terminal: key == "stalled"}, nil
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			loop.Run(ctx)
			close(done)
		}()
		synctest.Wait()
		expect(t, m,
			`controller_runtime_max_concurrent_reconciles{controller="alert"} 3`,
			`controller_runtime_active_workers{controller="alert"} 0`,
			`controller_runtime_terminal_reconcile_errors_total{controller="alert"} 0`,
			`controller_runtime_reconcile_timeouts_total{controller="alert"} 0`,
			`controller_runtime_reconcile_errors_total{controller="alert"} 0`,
			`controller_runtime_reconcile_panics_total{controller="alert"} 0`,
			`controller_runtime_reconcile_total{controller="alert",result="error"} 0`,
			`controller_runtime_reconcile_total{controller="alert",result="requeue_after"} 0`,
			`workqueue_depth{controller="alert",name="alert",priority="0"} 0`,
		)
		for _, key := range []string{"hangs", "fails", "panics", "stalled", "fine"} {
			loop.Add(key)
		}
		synctest.Wait()
		expect(t, m, `controller_runtime_active_workers{controller="alert"} 1`)
		time.Sleep(controller.PassLimit + time.Second)
		expect(t, m,
			`controller_runtime_active_workers{controller="alert"} 0`,
			`controller_runtime_terminal_reconcile_errors_total{controller="alert"} 1`,
			`controller_runtime_reconcile_timeouts_total{controller="alert"} 1`,
			`controller_runtime_reconcile_errors_total{controller="alert"} 2`,
			`controller_runtime_reconcile_panics_total{controller="alert"} 1`,
			`controller_runtime_reconcile_total{controller="alert",result="error"} 2`,
			`controller_runtime_reconcile_total{controller="alert",result="success"} 3`,
		)
		stop()
		<-done
	})
}
