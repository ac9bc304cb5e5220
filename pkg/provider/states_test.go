package provider

import (
	"testing"
	"time"
)

func TestPrecedes(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	for _, test := range []struct {
		known, event time.Time
		want         bool
	}{
		{late, early, true},
		{early, late, false},
		{early, early, false},
		{time.Time{}, early, false},
		{late, time.Time{}, false},
	} {
		if got := (State{Timestamp: test.known}).Precedes(test.event); got != test.want {
			t.Errorf("known %s, event %s: got %t", test.known, test.event, got)
		}
	}
}

func TestStates(t *testing.T) {
	one, other := Object{UID: "1"}, Object{UID: "2"}
	states := NewStates(2, true)
	states.Put(one, "a", State{Known: true, Value: "x"})
	if got := states.Get(one, "a"); got.Value != "x" || !states.Trusted(got) {
		t.Errorf("got %+v", got)
	}
	for _, unknown := range []State{states.Get(other, "a"), states.Get(one, "b")} {
		if unknown != (State{}) || states.Trusted(unknown) {
			t.Errorf("got %+v", unknown)
		}
	}
	states.Put(one, "b", State{Known: true})
	states.Put(one, "c", State{Known: true})
	if states.Get(one, "a").Known {
		t.Error("more is kept than the limit")
	}
	if shared := NewStates(2, false); shared.Trusted(State{Known: true}) {
		t.Error("what others may have changed is trusted")
	}
	var none *States
	none.Put(one, "a", State{})
	if none.Get(one, "a") != (State{}) || none.Trusted(State{Known: true}) {
		t.Error("nothing remembers something")
	}
}
