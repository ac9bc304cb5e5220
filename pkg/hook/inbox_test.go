package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clienttesting "k8s.io/client-go/testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// named has every call say a delivery id: that of the header X-Id; and how long it is valid, if there is an X-Valid.
func named(f *fixture) {
	f.Types = func(name string) (source.Type, bool) {
		return source.Type{Name: name, Verifier: source.VerifierFunc(func(r *source.Request, _ map[string][]byte) (source.Result, error) {
			if r.Header.Get("X-Forged") != "" {
				return source.Result{}, source.Unauthenticated("forged")
			}
			result := source.Result{DeliveryID: r.Header.Get("X-Id"), Payload: r.Body}
			if valid, err := time.ParseDuration(r.Header.Get("X-Valid")); err == nil {
				result.ValidUntil = time.Now().Add(valid)
			}
			return result, nil
		})}, true
	}
}

func TestRepeatedDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := receiver(func(r *v1.Receiver) {
			r.Name, r.UID = "generic-recv", "other"
			r.Status.WebhookPath = genericPath
		})
		f := newFixture(t, receiver(), other)
		named(f)
		id := func(id string) func(*http.Request) { return withHeader("X-Id", id) }
		expect := func(want int, text string, edits ...func(*http.Request)) {
			t.Helper()
			if got := f.do(push(edits...)); got.status != want || got.text != text {
				t.Errorf("got %d %q, want %d %q", got.status, got.text, want, text)
			}
		}
		expect(401, "not authentic", id("1"), withHeader("X-Forged", "x"))
		expect(202, "accepted", id("1")) // What is not authentic is not remembered,
		expect(200, "duplicate", id("1"))
		expect(401, "not authentic", id("1"), withHeader("X-Forged", "x")) // nor told of what is.
		expect(202, "accepted", id("2"))
		expect(202, "accepted", id("1"), withTarget(genericPath)) // Another Receiver's.
		expect(202, "accepted")                                   // A sender that names none
		expect(202, "accepted")                                   // repeats nothing.
		time.Sleep(repeatWindow - time.Second)
		expect(200, "duplicate", id("1"))
		time.Sleep(time.Second)
		expect(202, "accepted", id("1"))
		// A recorded call is of no use as long as it is authentic.
		expect(202, "accepted", id("3"), withHeader("X-Valid", "5m"))
		expect(202, "accepted", id("4"), withHeader("X-Valid", "1s"))
		time.Sleep(repeatWindow - time.Second)
		expect(202, "accepted", id("5"))
		expect(200, "duplicate", id("4"))
		time.Sleep(4*time.Minute - time.Nanosecond + time.Second)
		expect(202, "accepted", id("4"))
		expect(200, "duplicate", id("3"))
		time.Sleep(time.Nanosecond)
		expect(202, "accepted", id("3"))
		// An object that is gone may be back for the repetition.
		f.queue.gone()
		expect(202, "accepted", id("3"))
	})
}

// TestDeliveryOfWhichSomeIsGone has an object gone of the two that a delivery is for: the other one has been annotated, and
// whoever has recorded the call is not to have it annotated again.
func TestDeliveryOfWhichSomeIsGone(t *testing.T) {
	f := newFixture(t, receiver(resources(entry("shop"), entry("shop-infra"))))
	named(f)
	for _, want := range []string{"accepted", "duplicate", "accepted"} {
		if got := f.do(push(withHeader("X-Id", "1"), withHeader("X-Valid", "5m"))); got.text != want {
			t.Errorf("got %q, want %q", got.text, want)
		}
		f.queue.gone()
	}
}

// TestDeliveriesAtTheSameTime has copies of a call come through the stages together: one counts.
func TestDeliveriesAtTheSameTime(t *testing.T) {
	r := newRepeats(10)
	now := time.Now()
	var kept atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r.keep(delivery{1}, now, time.Time{}) {
				kept.Add(1)
			}
		})
	}
	all.Wait()
	if kept.Load() != 1 {
		t.Errorf("%d of 8 copies count", kept.Load())
	}
}

func TestDeliveryThatFailedIsNotRemembered(t *testing.T) {
	f := newFixture(t, receiver(resources(entry("shop"), entry("missing"))))
	named(f)
	for range 2 {
		if got := f.do(push(withHeader("X-Id", "1"))); got.status != 500 {
			t.Errorf("got %d %q", got.status, got.text)
		}
	}
}

// TestRepeatsAreBounded has many deliveries, some of which stay authentic for long: those stay, and hold up no others.
func TestRepeatsAreBounded(t *testing.T) {
	const maxDeliveries = 1000
	r := newRepeats(maxDeliveries)
	now := time.Now()
	id := func(i int) (d delivery) {
		binary.BigEndian.PutUint64(d[:], uint64(i))
		return d
	}
	const long = 10
	for i := range long {
		r.keep(id(i), now, now.Add(time.Hour))
	}
	for i := range maxDeliveries + 100 {
		r.keep(id(long+i), now.Add(time.Duration(i)), time.Time{})
	}
	if len(r.seen) != maxDeliveries || len(r.queue) != maxDeliveries {
		t.Errorf("%d remembered in a queue of %d", len(r.seen), len(r.queue))
	}
	last := long + maxDeliveries + 99
	for i, want := range map[int]bool{0: true, long - 1: true, long: false, last: true} {
		if got := r.has(id(i), now.Add(time.Second)); got != want {
			t.Errorf("delivery %d: remembered %t, want %t", i, got, want)
		}
	}
	after := now.Add(time.Second + repeatWindow)
	r.keep(id(last), after, time.Time{})
	if len(r.seen) != long+1 || len(r.queue) != long+1 {
		t.Errorf("%d remembered in a queue of %d after the window", len(r.seen), len(r.queue))
	}
	r.forget(id(0))
	if r.has(id(0), after) || !r.has(id(1), after) || r.has(id(1), now.Add(time.Hour)) {
		t.Error("of those that stay authentic, another was forgotten, or one is remembered for too long")
	}
}

func TestAnnotateTellsWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		a.onPatch(func(p clienttesting.PatchAction) error {
			if p.GetName() == "shop" {
				return apierrors.NewNotFound(gitRepositories().GroupResource(), "shop")
			}
			return nil
		})
		var gone []string
		for _, name := range []string{"shop", "shop-infra"} {
			a.Annotate(receiver(), []Target{target(name)}, time.Now(), func() { gone = append(gone, name) })
		}
		synctest.Wait()
		if len(gone) != 1 || gone[0] != "shop" {
			t.Errorf("told that %q are gone", gone)
		}
	})
}

// TestAnnotateTellsWhatIsGoneLater has an object that goes between two requests, the second of which comes while the first
// is being written.
func TestAnnotateTellsWhatIsGoneLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnotated(t)
		var gone []string
		tell := func(name string) func() { return func() { gone = append(gone, name) } }
		patches := 0
		a.onPatch(func(clienttesting.PatchAction) error {
			if patches++; patches > 1 {
				return apierrors.NewNotFound(gitRepositories().GroupResource(), "shop")
			}
			a.Annotate(receiver(), []Target{target("shop")}, time.Now().Add(time.Second), tell("second"))
			return nil
		})
		a.Annotate(receiver(), []Target{target("shop")}, time.Now(), tell("first"))
		synctest.Wait()
		if len(gone) != 1 || gone[0] != "second" || a.Len() != 0 {
			t.Errorf("told that %q are gone, %d left", gone, a.Len())
		}
	})
}

func TestTwoTokens(t *testing.T) {
	const oldToken = "the token before"
	r := receiver()
	r.Status.PreviousWebhookPath = r.WebhookPathFor(oldToken)
	f := newFixture(t, r)
	f.secrets[theNamespace+"/"+theSecret]["previousToken"] = []byte(oldToken)
	signed := func(token string) func(*http.Request) {
		mac := hmac.New(sha256.New, []byte(token))
		mac.Write([]byte(githubBody))
		return withHeader("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	previous := withTarget(r.Status.PreviousWebhookPath)
	for _, test := range []struct {
		name  string
		edits []func(*http.Request)
		want  int
	}{
		{"new path, new token", []func(*http.Request){signed(token)}, 202},
		{"new path, old token", []func(*http.Request){signed(oldToken)}, 401},
		{"old path, old token", []func(*http.Request){previous, signed(oldToken)}, 202},
		{"old path, new token", []func(*http.Request){previous, signed(token)}, 401},
	} {
		if got := f.do(push(test.edits...)); got.status != test.want {
			t.Errorf("%s: got %d %q, want %d", test.name, got.status, got.text, test.want)
		}
	}
	if len(f.observer.previous) != 1 || f.observer.previous[0] != "github" {
		t.Errorf("counted %q as uses of the previous token, want one", f.observer.previous)
	}
	if string(f.secrets[theNamespace+"/"+theSecret]["token"]) != token {
		t.Error("the Secret in the cache was changed")
	}

	// Until the status has followed the Secret, the old path is out of date.
	delete(f.secrets[theNamespace+"/"+theSecret], "previousToken")
	if got := f.do(push(previous, signed(oldToken))); got.status != http.StatusServiceUnavailable {
		t.Errorf("after the rotation: got %d %q", got.status, got.text)
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, receiver())
		f.limits = newLimits(2)
		counts := map[int]int{}
		var refused answer
		for range 10 {
			got := f.do(push())
			counts[got.status]++
			if got.status == http.StatusTooManyRequests {
				refused = got
			}
		}
		if counts[202] != 2 || counts[429] != 8 || refused.header.Get("Retry-After") != "1" {
			t.Errorf("got %v, Retry-After %q", counts, refused.header.Get("Retry-After"))
		}
		if got := f.do(push(withHeader("X-Hub-Signature-256", "sha256=00"))); got.status != http.StatusUnauthorized {
			t.Errorf("what is not authentic is limited too: %d", got.status)
		}
		time.Sleep(time.Second / 2)
		if got := f.do(push()); got.status != 202 {
			t.Errorf("half a second later: %d %q", got.status, got.text)
		}
		f.Drop(receiver().UID)
		if len(f.limits.limiters) != 0 {
			t.Error("the limiter of a Receiver that is gone is kept")
		}
	})
}
