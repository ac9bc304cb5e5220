package hook

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
)

// limits lets each Receiver be called so many times a second, and as often at once. It is safe for concurrent use.
type limits struct {
	perSecond float64

	mu       sync.Mutex
	limiters map[types.UID]*rate.Limiter
}

func newLimits(perSecond float64) *limits {
	return &limits{perSecond: perSecond, limiters: map[types.UID]*rate.Limiter{}}
}

// take returns how long a caller has to wait; 0 means that the call may go on. Without a limit it always may.
func (l *limits) take(receiver types.UID, now time.Time) time.Duration {
	if l.perSecond <= 0 {
		return 0
	}
	l.mu.Lock()
	limiter := l.limiters[receiver]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(l.perSecond), max(1, int(math.Ceil(l.perSecond))))
		l.limiters[receiver] = limiter
	}
	l.mu.Unlock()
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func (l *limits) drop(receiver types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.limiters, receiver)
}
