package receiver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/fake"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/source"
)

type failingSecrets struct{ err error }

func (s failingSecrets) Get(string, string) (*secret.Secret, error) { return nil, s.err }

// secrets have a token for each name.
type secrets map[string]string

func (s secrets) Get(_, name string) (*secret.Secret, error) {
	return &secret.Secret{Data: map[string][]byte{secret.KeyToken: []byte(s[name])}}, nil
}

// rival is the Receiver that gets the calls of all others; nil for none.
type rival struct{ *v1.Receiver }

func (rival) BySecret(types.NamespacedName) ([]*v1.Receiver, error) { return nil, nil }
func (r rival) Rival(*v1.Receiver) (*v1.Receiver, error)            { return r.Receiver, nil }

type noMetrics struct{}

func (noMetrics) ObserveObject(string, string, string, time.Duration) {}
func (noMetrics) ForgetObject(string, string, string)                 {}

// TestSecretThatIsNotReadYet has a new Receiver, whose Secret is about to be read, and one whose Secret could not be read.
func TestSecretThatIsNotReadYet(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name = "apps", "github"
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(r); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err    error
		failed bool
	}{
		{secret.ErrNotTried, false},
		{fmt.Errorf("%w: %w", secret.ErrNotLoaded, errors.New("forbidden")), true},
	} {
		events := record.NewFakeRecorder(10)
		c := New(Options{
			Settings: controller.Settings{Events: events},
			Client:   fake.NewSimpleClientset(r.DeepCopy()).NotificationV1(),
			Lister:   listers.NewReceiverLister(indexer),
			Secrets:  failingSecrets{test.err},
			Check:    func(*v1.Receiver) *Problem { return nil },
			Objects:  noMetrics{},
		})
		result, err := c.sync(t.Context(), cache.MetaObjectToName(r))
		if (err != nil) != test.failed || (result.RequeueAfter > 0) == test.failed || (len(events.Events) > 0) != test.failed {
			t.Errorf("%v: got %+v, %v and %d Events", test.err, result, err, len(events.Events))
		}
	}
}

// TestEventsTellChanges has passes over a Receiver: only those that change its status are told of.
func TestEventsTellChanges(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name, r.Generation = "apps", "github", 1
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	client := fake.NewSimpleClientset(r.DeepCopy())
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	events := record.NewFakeRecorder(10)
	tokens := secrets{"token": "one"}
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Index:    rival{},
		Client:   client.NotificationV1(),
		Lister:   listers.NewReceiverLister(indexer),
		Secrets:  tokens,
		Check:    func(*v1.Receiver) *Problem { return nil },
		Types:    func(string) (source.Type, bool) { return source.Type{}, true },
		Objects:  noMetrics{},
	})
	// pass is one with what is in the cluster by then.
	pass := func() int {
		t.Helper()
		now, err := client.NotificationV1().Receivers(r.Namespace).Get(t.Context(), r.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := indexer.Add(now); err != nil {
			t.Fatal(err)
		}
		if _, err := c.sync(t.Context(), cache.MetaObjectToName(r)); err != nil {
			t.Fatal(err)
		}
		told := len(events.Events)
		for range told {
			if e := <-events.Events; e != "Normal Succeeded Reconciliation finished, next run in 10m0s" {
				t.Errorf("got %q", e)
			}
		}
		return told
	}
	if first, second := pass(), pass(); first != 1 || second != 0 {
		t.Errorf("%d Events of the first pass, %d of the next", first, second)
	}
	tokens["token"] = "two"
	if rotated, after := pass(), pass(); rotated != 1 || after != 0 {
		t.Errorf("%d Events of the pass with a new token, %d of the next", rotated, after)
	}
}

// TestPathTaken has passes over a Receiver whose path another one has as well.
func TestPathTaken(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name = "apps", "github"
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	other := &v1.Receiver{}
	other.Namespace, other.Name = "planted", "planted"
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	client := fake.NewSimpleClientset(r.DeepCopy())
	events := record.NewFakeRecorder(10)
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Client:   client.NotificationV1(),
		Lister:   listers.NewReceiverLister(indexer),
		Index:    rival{other},
		Secrets:  secrets{"token": "one"},
		Check:    func(*v1.Receiver) *Problem { return nil },
		Types:    func(string) (source.Type, bool) { return source.Type{}, true },
		Objects:  noMetrics{},
	})
	var told []string
	for range 3 {
		now, err := client.NotificationV1().Receivers(r.Namespace).Get(t.Context(), r.Name, metav1.GetOptions{})
		if err == nil {
			err = indexer.Add(now)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.sync(t.Context(), cache.MetaObjectToName(r)); err != nil {
			t.Fatal(err)
		}
		for range len(events.Events) {
			told = append(told, <-events.Events)
		}
	}
	if len(told) != 2 || !strings.HasPrefix(told[1], "Warning PathTaken Another Receiver") || strings.Contains(told[1], "planted") {
		t.Errorf("got %q", told)
	}
}

// TestStatusWithoutSecret has passes while the token cannot be read, and while the Receiver is suspended.
func TestStatusWithoutSecret(t *testing.T) {
	notLoaded := fmt.Errorf("%w: %w", secret.ErrNotLoaded, errors.New("forbidden"))
	for _, test := range []struct {
		name string
		// observed is the generation of the status, in which the Receiver is ready; 0 for none.
		observed  int64
		suspended bool
		secrets   secret.Getter
		ready     string
		// path says that the path stays, rotated that it is that of the new token; otherwise there is none.
		path, rotated bool
	}{
		{name: "new and unreadable", secrets: failingSecrets{notLoaded}, ready: "False TokenNotFound"},
		{name: "new and absent", secrets: failingSecrets{secret.ErrNotFound}, ready: "False TokenNotFound"},
		{name: "unreadable", observed: 2, secrets: failingSecrets{notLoaded}, ready: "True Succeeded", path: true},
		{name: "edited and unreadable", observed: 1, secrets: failingSecrets{notLoaded}, ready: "False TokenNotFound", path: true},
		{name: "absent", observed: 2, secrets: failingSecrets{secret.ErrNotFound}, ready: "False TokenNotFound"},
		{name: "rotated", observed: 2, secrets: secrets{"token": "two"}, ready: "True Succeeded", rotated: true},
		{name: "rotated while suspended", observed: 2, suspended: true, secrets: secrets{"token": "two"}, ready: "True Succeeded", rotated: true},
		{name: "unreadable while suspended", observed: 2, suspended: true, secrets: failingSecrets{notLoaded}, ready: "True Succeeded", path: true},
		{name: "new and suspended", suspended: true, secrets: secrets{"token": "one"}, ready: "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &v1.Receiver{}
			r.Namespace, r.Name, r.Generation = "apps", "github", 2
			r.Spec.Type, r.Spec.SecretRef, r.Spec.Suspend = "github", &v1.LocalObjectReference{Name: "token"}, test.suspended
			before, after := r.WebhookPathFor("one"), r.WebhookPathFor("two")
			if test.observed > 0 {
				markReady(r, "", time.Now())
				r.Status.ObservedGeneration, r.Status.WebhookPath = test.observed, before
			}
			_, _ = Options{
				Secrets: test.secrets, Check: func(*v1.Receiver) *Problem { return nil },
				Types: func(string) (source.Type, bool) { return source.Type{}, true },
			}.Reconcile(r, time.Now())
			ready := "none"
			if c := meta.FindStatusCondition(r.Status.Conditions, "Ready"); c != nil {
				ready = string(c.Status) + " " + c.Reason
			}
			want := ""
			switch {
			case test.path:
				want = before
			case test.rotated:
				want = after
			}
			if ready != test.ready || r.Status.WebhookPath != want {
				t.Errorf("Ready %s, path %q; want %s, %q", ready, r.Status.WebhookPath, test.ready, want)
			}
			if c := meta.FindStatusCondition(r.Status.Conditions, "Ready"); test.rotated && !strings.HasSuffix(c.Message, after) {
				t.Errorf("the condition says %q", c.Message)
			}
		})
	}
}

// TestChanged checks that our own writes of the status of a migrated Receiver, which keeps its finalizer, ask for no pass.
func TestChanged(t *testing.T) {
	migrated := &v1.Receiver{}
	migrated.Finalizers = []string{notification.LegacyFinalizer}
	written := migrated.DeepCopy()
	written.Status.WebhookPath = "/hook/1"
	if changed(migrated, written) {
		t.Error("a status asks for a pass")
	}
	if !changed(&v1.Receiver{}, migrated) {
		t.Error("an older controller has come back, and nobody looks")
	}
}

// TestURLOfTheOlderAPI has a Receiver that was written through v1beta1.
func TestURLOfTheOlderAPI(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name = "apps", "github"
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	r.Status.URL = "/hook/old"
	o := Options{
		Check:   func(*v1.Receiver) *Problem { return nil },
		Types:   func(string) (source.Type, bool) { return source.Type{}, true },
		Secrets: secrets{"token": "one"},
	}
	if _, err := o.Reconcile(r, time.Now()); err != nil || r.Status.URL != r.WebhookPathFor("one") {
		t.Errorf("URL %s, path %s, %v", r.Status.URL, r.Status.WebhookPath, err)
	}
	o.Secrets = failingSecrets{secret.ErrNotFound}
	if _, err := o.Reconcile(r, time.Now()); err == nil {
		t.Error("no error without a Secret")
	}
	o.Secrets = secrets{"token": "two"}
	if _, err := o.Reconcile(r, time.Now()); err != nil || r.Status.URL != r.WebhookPathFor("two") {
		t.Errorf("after a moment without a Secret, URL %s, %v", r.Status.URL, err)
	}
}

// TestStalledIsTerminal has a pass over a Receiver that is wrong, and over one that is wrong but suspended.
func TestStalledIsTerminal(t *testing.T) {
	o := Options{Check: func(*v1.Receiver) *Problem { return &Problem{Reason: "ValidationFailed", Message: "broken"} }}
	for _, suspended := range []bool{false, true} {
		r := &v1.Receiver{}
		r.Spec.Suspend = suspended
		result, err := o.Reconcile(r, time.Now())
		if err != nil || result.RequeueAfter != 0 || result.Terminal == suspended {
			t.Errorf("suspended %t: got %+v, %v", suspended, result, err)
		}
		if stalled := meta.IsStatusConditionTrue(r.Status.Conditions, "Stalled"); stalled != result.Terminal {
			t.Errorf("suspended %t: stalled is %t", suspended, stalled)
		}
	}
}

// TestTimedPasses has passes over a Receiver that is edited, made anew and deleted meanwhile.
func TestTimedPasses(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name, r.UID, r.Generation = "apps", "github", "one", 1
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	events := record.NewFakeRecorder(100)
	checks := 0
	var problem *Problem
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Index:    rival{},
		Client:   fake.NewSimpleClientset(r.DeepCopy()).NotificationV1(),
		Lister:   listers.NewReceiverLister(indexer),
		Secrets:  secrets{"token": "one"},
		Check:    func(*v1.Receiver) *Problem { checks++; return problem },
		Types:    func(string) (source.Type, bool) { return source.Type{}, true },
		Objects:  noMetrics{},
	})
	for _, step := range []struct {
		name     string
		edit     func()
		interval time.Duration
		wait     time.Duration
		checks   int
	}{
		{"first", func() {}, time.Millisecond, 10 * time.Second, 1},
		{"again", func() {}, time.Millisecond, 10 * time.Second, 1},
		{"edited", func() { r.Generation++ }, 10*time.Second + 1, 10*time.Second + 1, 2},
		{"none", func() { r.Generation++ }, 0, 0, 3},
		{"broken", func() { r.Generation++; problem = &Problem{"ValidationFailed", "broken"} }, time.Millisecond, 0, 4},
		{"broken as before", func() {}, time.Millisecond, 0, 4},
		{"made anew", func() { r.UID, problem = "two", nil }, time.Millisecond, 10 * time.Second, 5},
	} {
		step.edit()
		r.Spec.Interval = &metav1.Duration{Duration: step.interval}
		if err := indexer.Add(r.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		result, err := c.sync(t.Context(), cache.MetaObjectToName(r))
		if err != nil || result.RequeueAfter != step.wait || result.Terminal != (problem != nil) || checks != step.checks {
			t.Errorf("%s: got %+v, %v after %d checks", step.name, result, err, checks)
		}
	}
	if want, got := "Normal Succeeded Reconciliation finished, next run in 10s", <-events.Events; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := indexer.Delete(r); err != nil {
		t.Fatal(err)
	}
	if _, err := c.sync(t.Context(), cache.MetaObjectToName(r)); err != nil || len(c.verdicts.of) != 0 {
		t.Errorf("%v; %d verdicts are kept of none", err, len(c.verdicts.of))
	}
}
