package hook

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/record"
)

func TestDrainWritesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		synctest.Wait()
		a.stop()
		a.Annotate(receiver(), []Target{target("shop-infra")}, time.Now(), func() {}) // The last call under way.
		time.AfterFunc(2*time.Second, func() { a.onPatch(nil) })

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if left := a.Drain(ctx); left != 0 {
			t.Errorf("%d left", left)
		}
		if a.value(t, "shop") == "" || a.value(t, "shop-infra") == "" {
			t.Error("not written")
		}
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop"), target("shop-infra")}, time.Now(), func() {})
		synctest.Wait()
		a.stop()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if left := a.Drain(ctx); left != 2 {
			t.Errorf("%d left, want 2", left)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// TestAnnotateCutOffIsNotAFailure checks that a patch that the end of Run cuts off is no Warning, and is left to Drain.
func TestAnnotateCutOffIsNotAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &hangingClient{}
		events := record.NewFakeRecorder(10)
		a := NewAnnotator(AnnotatorOptions{Client: client, Events: events, Observer: &fakeObserver{}})
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { a.Run(ctx) })
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		synctest.Wait()
		cancel()
		run.Wait()
		if a.Len() != 1 || len(events.Events) != 0 {
			t.Errorf("%d pending, %d Warnings", a.Len(), len(events.Events))
		}
	})
}

func TestAnnotateGivesAHangingAPITenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &hangingClient{}
		events := record.NewFakeRecorder(10)
		a := NewAnnotator(AnnotatorOptions{Client: client, Events: events, Observer: &fakeObserver{}})
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { a.Run(ctx) })
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		time.Sleep(10*time.Second - time.Nanosecond)
		synctest.Wait()
		early := len(events.Events)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if early != 0 || len(events.Events) != 1 {
			t.Errorf("%d Warnings before ten seconds, %d after", early, len(events.Events))
		}
		cancel()
		run.Wait()
	})
}

// TestAnnotatorIsBoundedByObjects has many calls for few objects.
func TestAnnotatorIsBoundedByObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for range 100 {
					a.Annotate(receiver(), []Target{target("shop"), target("shop-infra")}, time.Now(), func() {})
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if a.Len() != 2 {
			t.Errorf("%d pending, want 2", a.Len())
		}
	})
}

var _ Queue = (*Annotator)(nil)
