package dispatch

import (
	"context"
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
)

// filterable is an event with what filters see of it, which is made when the first one asks: most Alerts have none.
type filterable struct {
	*event.Event
	made map[string]any
}

func (f *filterable) variables() map[string]any {
	if f.made == nil {
		f.made = map[string]any{expr.VarEvent: eventFields(f.Event)}
	}
	return f.made
}

// passesFilter asks spec.eventFilter. What is broken, and what fails, is false.
func (m *Matcher) passesFilter(e *filterable, a *v1beta3.Alert, filter *expr.Filter) bool {
	if filter == nil {
		return false
	}
	// Not the request's context: its event is taken, whether or not its sender stays. Eval has limits of its own.
	passes, err := filter.Eval(context.Background(), e.variables())
	if err != nil {
		m.record.Problem(a, ReasonFilterFailed, fmt.Errorf("event for %s is not selected: %w", e.InvolvedObject, err))
	}
	return passes
}
