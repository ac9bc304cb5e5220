package expr

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func TestRegexpsAreShared(t *testing.T) {
	r := NewRegexps()
	one, errs := r.Patterns("f", []string{"a+", "b", "("})
	other, more := r.Patterns("f", []string{"b", "a+"})
	if len(errs) != 1 || len(more) != 0 || one.compiled[0] != other.compiled[1] || one.compiled[1] != other.compiled[0] {
		t.Errorf("%v %v %v %v", one, errs, other, more)
	}
	if one.Configured != 3 || !one.MatchAny("xaax") || one.MatchAny("x") {
		t.Errorf("%+v", one)
	}
	runtime.KeepAlive(one)
}

// TestRegexpsAreForgotten finds expressions that stay for ever.
func TestRegexpsAreForgotten(t *testing.T) {
	r := NewRegexps()
	kept, _ := r.Patterns("f", []string{"kept"})
	for i := range 1000 {
		_, _ = r.Patterns("f", []string{fmt.Sprint("gone ", i)})
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		r.mu.Lock()
		n := len(r.known)
		r.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d expressions are kept", n)
		}
	}
	again, _ := r.Patterns("f", []string{"kept"})
	if again.compiled[0] != kept.compiled[0] {
		t.Error("what is in use has been forgotten")
	}
}
