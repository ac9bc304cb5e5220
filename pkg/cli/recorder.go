package cli

import (
	"fmt"
	"sync"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// recorder keeps what the server's flow says of one event. It is a [dispatch.Recorder]; what it does not care about goes
// to no Recorders at all.
type recorder struct {
	dispatch.Recorders

	mu       sync.Mutex
	verdict  dispatch.EventVerdict
	outcomes map[provider.Object]dispatch.Outcome
	problems map[provider.Object][]string
}

// reset forgets the event before.
func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdict = dispatch.EventVerdict{}
	r.outcomes, r.problems = map[provider.Object]dispatch.Outcome{}, map[provider.Object][]string{}
}

// Event implements [dispatch.Recorder].
func (r *recorder) Event(v dispatch.EventVerdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdict = v
}

// Outcome implements [dispatch.Recorder].
func (r *recorder) Outcome(o dispatch.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[o.Alert] = o
}

// Problem implements [dispatch.Recorder].
func (r *recorder) Problem(a *v1beta3.Alert, _ string, err error) {
	if a != nil {
		r.note(a, err.Error())
	}
}

// MetadataConflict implements [dispatch.Recorder].
func (r *recorder) MetadataConflict(a *v1beta3.Alert, _ event.ObjectReference, conflicts map[string]string) {
	for _, key := range event.SortedKeys(conflicts) {
		r.note(a, fmt.Sprintf("metadata key %q has several sources, the last of which is used: %s", key, conflicts[key]))
	}
}

func (r *recorder) note(a *v1beta3.Alert, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems[nameOf(a)] = append(r.problems[nameOf(a)], oneLine(text))
}

// nameOf is an Alert as outcomes name it.
func nameOf(a *v1beta3.Alert) provider.Object {
	return provider.Object{Namespace: a.Namespace, Name: a.Name, UID: string(a.UID)}
}
