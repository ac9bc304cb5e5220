package hook

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
)

func TestAnnotateWritesOneAnnotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		at := time.Date(2026, 8, 7, 12, 15, 30, 123456789, time.FixedZone("CEST", 7200))
		a.Annotate(receiver(), []Target{target("shop"), target("shop-infra")}, at, func() {})
		synctest.Wait()
		const want = "2026-08-07T10:15:30.123456789Z"
		if shop, infra := a.value(t, "shop"), a.value(t, "shop-infra"); shop != want || infra != want {
			t.Errorf("got %q and %q, want %q", shop, infra, want)
		}
		for _, patch := range a.patches() {
			var body any
			if err := json.Unmarshal(patch.GetPatch(), &body); err != nil {
				t.Fatal(err)
			}
			if string(patch.GetPatch()) != `{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"`+want+`"}}}` ||
				patch.GetPatchType() != types.MergePatchType || patch.GetSubresource() != "" {
				t.Errorf("patched with %s %s", patch.GetPatchType(), patch.GetPatch())
			}
		}
		if a.Len() != 0 || !slices.Equal(a.observer.outcomes(), []string{Written, Written}) {
			t.Errorf("%d left, counted %q", a.Len(), a.observer.outcomes())
		}
	})
}

// TestAnnotateSaysWhoWrites has a client of its own, since the fake one drops the options.
func TestAnnotateSaysWhoWrites(t *testing.T) {
	client := &optionsClient{}
	a := NewAnnotator(AnnotatorOptions{Client: client, Observer: &fakeObserver{}})
	a.put(target("shop"), receiver(), time.Now(), func() {})
	if left := a.Drain(t.Context()); left != 0 {
		t.Fatalf("%d left", left)
	}
	if client.options.FieldManager != "notification-controller" || client.deadline <= 0 || client.deadline > 10*time.Second {
		t.Errorf("patched with %+v within %s", client.options, client.deadline)
	}
}

func TestAnnotateCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		start := time.Now()
		release := make(chan struct{})
		var once sync.Once
		a.onPatch(func(clienttesting.PatchAction) error {
			once.Do(func() { <-release })
			return nil
		})
		// All but the first come while that is under way, and not in order.
		for _, second := range []int{0, 3, 9, 1, 2} {
			a.Annotate(receiver(), []Target{target("shop")}, start.Add(time.Duration(second)*time.Second), func() {})
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		if got, want := a.value(t, "shop"), start.Add(9*time.Second).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("got %q, want that of the latest, %q", got, want)
		}
		if got := len(a.patches()); got != 2 || a.Len() != 0 {
			t.Errorf("%d patches for five requests, %d left", got, a.Len())
		}
	})
}

func TestAnnotateTriesUntilTheAPIIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		start := time.Now()
		var tried []time.Duration
		a.onPatch(func(p clienttesting.PatchAction) error {
			tried = append(tried, time.Since(start))
			return unavailable(p)
		})
		a.Annotate(receiver(), []Target{target("shop")}, start, func() {})
		time.Sleep(62 * time.Second)
		synctest.Wait()
		want := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond,
			7500 * time.Millisecond, 15500 * time.Millisecond, 30500 * time.Millisecond, 45500 * time.Millisecond, 60500 * time.Millisecond}
		a.mu.Lock()
		if !slices.Equal(tried, want) {
			t.Errorf("tried after %v, want %v", tried, want)
		}
		a.mu.Unlock()
		if a.Len() != 1 {
			t.Errorf("%d pending, want 1", a.Len())
		}

		a.onPatch(nil)
		time.Sleep(maxBackoff)
		synctest.Wait()
		if got := a.value(t, "shop"); got != start.UTC().Format(time.RFC3339Nano) || a.Len() != 0 {
			t.Errorf("wrote %q, %d pending", got, a.Len())
		}
		if len(a.events.Events) != 1 {
			t.Fatalf("%d Warnings, want one for the first failure", len(a.events.Events))
		}
		if event := <-a.events.Events; !strings.Contains(event, "Cannot annotate GitRepository apps/shop yet, will try again: planted") {
			t.Errorf("got the Event %q", event)
		}
		if outcomes := a.observer.outcomes(); outcomes[0] != NotWritten || outcomes[len(outcomes)-1] != Written {
			t.Errorf("counted %q", outcomes)
		}
	})
}

// TestAnnotateStartsOverAfterASuccess checks that a later failure is said again, and waits as a first one does.
func TestAnnotateStartsOverAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		time.Sleep(10 * time.Second)
		a.onPatch(nil)
		time.Sleep(maxBackoff)
		synctest.Wait()
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		synctest.Wait()
		if len(a.events.Events) != 2 {
			t.Errorf("%d Warnings, want two", len(a.events.Events))
		}
		a.onPatch(nil)
		time.Sleep(minBackoff)
		synctest.Wait()
		if a.Len() != 0 {
			t.Error("the first retry did not come after the shortest wait")
		}
	})
}

// TestAnnotateStartsOverAfterASuccessWithMoreToDo has a request that comes while the one before it is written at last.
func TestAnnotateStartsOverAfterASuccessWithMoreToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var once sync.Once
		a.onPatch(func(p clienttesting.PatchAction) (err error) {
			err = unavailable(p)
			once.Do(func() {
				a.put(target("shop"), receiver(), time.Now(), func() {})
				a.loop.Add(target("shop"))
				err = nil
			})
			return err
		})
		time.Sleep(maxBackoff)
		synctest.Wait()
		if len(a.events.Events) != 2 {
			t.Errorf("%d Warnings, want one for each request", len(a.events.Events))
		}
	})
}

func TestAnnotateGivesUpOnObjectsThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(unavailable)
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), func() {})
		synctest.Wait()
		if err := a.client.Tracker().Delete(gitRepositories(), theNamespace, "shop"); err != nil {
			t.Fatal(err)
		}
		a.onPatch(nil)
		time.Sleep(minBackoff)
		synctest.Wait()
		if outcomes := a.observer.outcomes(); a.Len() != 0 || !slices.Equal(outcomes, []string{NotWritten, Gone}) {
			t.Errorf("%d pending, counted %q", a.Len(), outcomes)
		}
		tries := len(a.patches())
		time.Sleep(time.Hour)
		if len(a.patches()) != tries {
			t.Error("tried again")
		}
	})
}

func TestAnnotateOneObjectDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(func(p clienttesting.PatchAction) error {
			if p.GetName() == "shop" {
				return apierrors.NewForbidden(gitRepositories().GroupResource(), "shop", errors.New("planted"))
			}
			return nil
		})
		a.Annotate(receiver(), []Target{target("shop"), target("shop-infra")}, time.Now(), func() {})
		synctest.Wait()
		if a.value(t, "shop-infra") == "" {
			t.Error("the second object was not written")
		}
	})
}
