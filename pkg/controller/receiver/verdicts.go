package receiver

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// verdicts remembers what is wrong with each spec until it is edited: timed passes are not to compile all filters again. It
// is safe for concurrent use.
type verdicts struct {
	check func(*v1.Receiver) *Problem

	mu sync.Mutex
	of map[cache.ObjectName]verdict
}

type verdict struct {
	uid        types.UID
	generation int64
	problem    *Problem
}

func newVerdicts(check func(*v1.Receiver) *Problem) *verdicts {
	return &verdicts{check: check, of: map[cache.ObjectName]verdict{}}
}

// on is nil if nothing is wrong.
func (v *verdicts) on(r *v1.Receiver) *Problem {
	name := cache.MetaObjectToName(r)
	v.mu.Lock()
	known, ok := v.of[name]
	v.mu.Unlock()
	if ok && known.uid == r.UID && known.generation == r.Generation {
		return known.problem
	}
	known = verdict{uid: r.UID, generation: r.Generation, problem: v.check(r)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of[name] = known
	return known.problem
}

// forget is about a Receiver that is gone.
func (v *verdicts) forget(name cache.ObjectName) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.of, name)
}
