package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/registry"
)

// hostAdapter is a queue with one Provider for a Git host.
type hostAdapter struct {
	*Queue
	host     *githosttest.Host
	row      provider.Type
	recorded *outcomes
}

// newHostAdapter starts a host and a queue for it. Change may change the configuration.
func newHostAdapter(t *testing.T, kind string, change func(*provider.Config)) *hostAdapter {
	host := githosttest.New(t, kind)
	t.Setenv("BITBUCKET_API_BASE_URL", host.URL())
	row, ok := registry.New().Lookup(kind)
	if !ok {
		t.Fatalf("no type %q", kind)
	}
	cfg := provider.Config{
		Type:     kind,
		Provider: provider.Object{Namespace: "apps", Name: "prov", UID: "4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21"},
		Address:  host.Address(),
		Token:    githosttest.Token,
		States:   provider.NewStates(1000, true),
		Client:   httpx.NewClient(httpx.Options{}),
		Timeout:  DefaultTimeout,
	}
	t.Cleanup(cfg.Client.CloseIdleConnections)
	if change != nil {
		change(&cfg)
	}
	sender, err := row.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	recorded := &outcomes{}
	target := &Target{Sender: sender, Timeout: DefaultTimeout}
	q := NewQueue(DefaultQueueOptions(), func(provider.Object) (*Target, error) { return target, nil }, recorded)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		q.Drain(ctx)
	})
	return &hostAdapter{q, host, row, recorded}
}

// settled waits until n outcomes are recorded.
func (h *hostAdapter) settled(t *testing.T, n int) []Outcome {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		h.recorded.mu.Lock()
		all := slices.Clone(h.recorded.all)
		h.recorded.mu.Unlock()
		if len(all) == n {
			return all
		}
	}
	t.Fatalf("not %d outcomes", n)
	return nil
}

func commitNotification(commit int, at time.Time, severity string) *provider.Notification {
	n := &provider.Notification{
		Event: event.Event{
			InvolvedObject: event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "webapp"},
			Severity:       severity,
			Timestamp:      event.Timestamp{Time: at},
			Reason:         "HealthCheckPassed",
			Message:        "message at " + at.String(),
			Metadata:       map[string]string{"revision": fmt.Sprintf("main@sha1:%040x", commit+1), event.KeyChangeRequest: "7"},
		},
		Provider: provider.Object{Namespace: "apps", Name: "prov", UID: "4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21"},
		StatusID: "kustomization/webapp/4a8b6c1e",
	}
	if severity == event.SeverityError {
		n.Event.Reason = "HealthCheckFailed"
	}
	return n
}

// statusTypes are the types that set the state of commits, with their words for success and failure.
var statusTypes = map[string][2]string{
	"azuredevops":     {"succeeded", "error"},
	"bitbucket":       {"SUCCESSFUL", "FAILED"},
	"bitbucketserver": {"SUCCESSFUL", "FAILED"},
	"gitea":           {"success", "failure"},
	"github":          {"success", "failure"},
	"gitlab":          {"success", "failed"},
}

// TestStatusWrites sends 500 events about 50 commits: each change of state is written once, in order, whether the
// memory can be trusted or other replicas write too.
func TestStatusWrites(t *testing.T) {
	const commits = 50
	// Of each commit: four changes of state in ten events.
	severities := []string{"info", "info", "error", "error", "error", "info", "info", "info", "error", "error"}
	want := []int{0, 1, 0, 1}
	for kind, words := range statusTypes {
		for _, sole := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/sole %t", kind, sole), func(t *testing.T) {
				h := newHostAdapter(t, kind, func(cfg *provider.Config) { cfg.States = provider.NewStates(1000, sole) })
				start := time.Now()
				for i, severity := range severities {
					for commit := range commits {
						h.Enqueue(commitNotification(commit, start.Add(time.Duration(i)*time.Second), severity), h.row)
					}
				}
				for _, o := range h.settled(t, commits*len(severities)) {
					if o.Result != Sent {
						t.Fatalf("%s: %v", o.Result, o.Err)
					}
				}
				written := map[string][]string{}
				for _, s := range h.host.History() {
					written[s.Commit] = append(written[s.Commit], s.State)
				}
				for commit := range commits {
					var states []string
					for _, word := range want {
						states = append(states, words[word])
					}
					if got := written[fmt.Sprintf("%040x", commit+1)]; !slices.Equal(got, states) {
						t.Errorf("commit %d: written %v, want %v", commit, got, states)
					}
				}
				reads, writes := h.host.Requests()
				if writes != commits*len(want) || sole && reads != commits || reads > commits*len(severities) {
					t.Errorf("%d reads and %d writes", reads, writes)
				}
			})
		}
	}
}

// TestStatusIsNotOverwrittenByOlderEvent finds a status that was replaced by an event which is older than the one that
// set it.
func TestStatusIsNotOverwrittenByOlderEvent(t *testing.T) {
	h := newHostAdapter(t, "github", nil)
	now := time.Now()
	for i, n := range []*provider.Notification{
		commitNotification(0, now, "info"),
		commitNotification(0, now.Add(-time.Second), "error"),
		// Without a time, or with the same, the order of acceptance decides.
		commitNotification(0, time.Time{}, "error"),
		commitNotification(0, now, "info"),
		commitNotification(0, now.Add(-time.Second), "error"),
	} {
		h.Enqueue(n, h.row)
		h.settled(t, i+1)
	}
	var results []string
	for _, o := range h.settled(t, 5) {
		results = append(results, string(o.Result)+" "+string(o.Reason))
	}
	if want := []string{"sent ", "skipped superseded", "sent ", "sent ", "skipped superseded"}; !slices.Equal(results, want) {
		t.Errorf("results %v, want %v", results, want)
	}
	var states []string
	for _, s := range h.host.History() {
		states = append(states, s.State)
	}
	if want := []string{"success", "failure", "success"}; !slices.Equal(states, want) {
		t.Errorf("written %v, want %v", states, want)
	}
}

// TestClockAhead finds an event whose clock is ahead, and which holds back all after it until its time has come.
func TestClockAhead(t *testing.T) {
	for _, kind := range []string{"github", "githubpullrequestcomment"} {
		h := newHostAdapter(t, kind, nil)
		h.Enqueue(commitNotification(0, time.Now().Add(time.Hour), "info"), h.row)
		h.settled(t, 1)
		h.Enqueue(commitNotification(0, time.Now(), "error"), h.row)
		if o := h.settled(t, 2)[1]; o.Result != Sent {
			t.Errorf("%s: %s: %s", kind, o.Result, o.Reason)
		}
	}
}

// TestStatusAfterFailedWrite finds a memory that holds what was never written.
func TestStatusAfterFailedWrite(t *testing.T) {
	h := newHostAdapter(t, "github", nil)
	now := time.Now()
	h.Enqueue(commitNotification(0, now, "info"), h.row)
	h.settled(t, 1)
	h.host.Refuse(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) })
	h.Enqueue(commitNotification(0, now.Add(2*time.Second), "error"), h.row)
	h.settled(t, 2)
	h.host.Refuse(nil)
	// It is older than the one that was refused, but not than the one that was written.
	h.Enqueue(commitNotification(0, now.Add(time.Second), "error"), h.row)
	h.settled(t, 3)
	if got := h.host.History(); len(got) != 2 || got[1].State != "failure" {
		t.Errorf("written %+v", got)
	}
	if reads, _ := h.host.Requests(); reads != 2 {
		t.Errorf("%d reads: what may have been written has to be looked at", reads)
	}
}

// TestStatusOfOthers finds a write of what another replica has set already.
func TestStatusOfOthers(t *testing.T) {
	for kind := range statusTypes {
		t.Run(kind, func(t *testing.T) {
			h := newHostAdapter(t, kind, nil)
			h.Enqueue(commitNotification(0, time.Now(), "info"), h.row)
			h.settled(t, 1)
			// Another replica is another sender with a memory of its own.
			cfg := provider.Config{Address: h.host.Address(), Token: githosttest.Token, States: provider.NewStates(10, false), Client: httpx.NewClient(httpx.Options{})}
			defer cfg.Client.CloseIdleConnections()
			other, err := h.row.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for i, severity := range []string{"info", "info", "error"} {
				if err := other.Send(t.Context(), commitNotification(0, time.Now(), severity)); err != nil {
					t.Fatal(err)
				}
				if want := 1 + i/2; len(h.host.History()) != want {
					t.Errorf("%d writes, want %d", len(h.host.History()), want)
				}
			}
		})
	}
}

// TestGitHostRefusals checks that what only an edit can mend fails at once and says what to edit.
func TestGitHostRefusals(t *testing.T) {
	types := []string{"giteapullrequestcomment", "githubpullrequestcomment", "gitlabmergerequestcomment"}
	for kind := range statusTypes {
		types = append(types, kind)
	}
	for _, kind := range types {
		for name, test := range map[string]struct {
			config func(cfg *provider.Config)
			commit int
			says   []string
		}{
			"unknown token": {func(cfg *provider.Config) { cfg.Token = "stolen-user:stolen-token" }, 0, []string{`key "token" of the Secret in spec.secretRef of Provider 'apps/prov'`}},
			"no rights":     {func(cfg *provider.Config) { cfg.Token = githosttest.WeakToken }, 0, []string{`key "token" of the Secret in spec.secretRef of Provider 'apps/prov'`, "rights"}},
			"no repository": {func(cfg *provider.Config) {
				cfg.Address = strings.ReplaceAll(cfg.Address, "webapp", githosttest.UnknownRepository)
			}, 0, []string{"spec.address"}},
			"no commit": {func(*provider.Config) {}, -1, []string{"spec.address", "spec.eventSources of the Alert", githosttest.UnknownCommit}},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				if test.commit < 0 && strings.HasSuffix(kind, "comment") {
					t.Skip("a comment is about no commit")
				}
				h := newHostAdapter(t, kind, test.config)
				h.Enqueue(commitNotification(test.commit, time.Now(), "info"), h.row)
				o := h.settled(t, 1)[0]
				if o.Result != Failed || o.Attempts != 1 {
					t.Fatalf("%s after %d attempts: %v", o.Result, o.Attempts, o.Err)
				}
				for _, says := range test.says {
					if !strings.Contains(o.Err.Error(), says) {
						t.Errorf("the error does not say %q: %v", says, o.Err)
					}
				}
				if strings.Contains(o.Err.Error(), "stolen-token") || strings.Contains(o.Err.Error(), "weak-token") {
					t.Errorf("the error shows the token: %v", o.Err)
				}
			})
		}
	}
}

// TestComments checks that each object has one comment on a change request, on whatever page it is.
func TestComments(t *testing.T) {
	for kind, prefix := range map[string]string{
		"giteapullrequestcomment": "pr", "githubpullrequestcomment": "pr", "gitlabmergerequestcomment": "mr",
	} {
		t.Run(kind, func(t *testing.T) {
			marker := "<!-- flux-" + prefix + "-comment-key:4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21/Kustomization/apps/webapp -->"
			for name, test := range map[string]struct {
				pageSize int
				before   func(h *githosttest.Host) (own int64)
				// forget has the sender lose its memory between the events.
				forget bool
				writes int
			}{
				"new": {100, func(*githosttest.Host) int64 { return 0 }, false, 3},
				"kept over a restart": {100, func(h *githosttest.Host) int64 {
					return h.AddComment(githosttest.Account, marker+"\n\nold")
				}, true, 3},
				"on the third page": {30, func(h *githosttest.Host) int64 {
					for i := range 75 {
						h.AddComment("somebody", fmt.Sprint("comment ", i))
					}
					return h.AddComment(githosttest.Account, marker+"\n\nold")
				}, true, 3},
				"not somebody else's": {100, func(h *githosttest.Host) int64 {
					h.AddComment("somebody", marker+"\n\nnot ours")
					h.AddComment(githosttest.Account, strings.Replace(marker, "webapp", "webapp2", 1))
					return 0
				}, false, 3},
			} {
				t.Run(name, func(t *testing.T) {
					checkComments(t, kind, marker, test.pageSize, test.before, test.forget, test.writes)
				})
			}
		})
	}
}

func checkComments(t *testing.T, kind, marker string, pageSize int, before func(*githosttest.Host) int64, forget bool, writes int) {
	h := newHostAdapter(t, kind, func(cfg *provider.Config) {
		if forget {
			cfg.States = nil
		}
	})
	h.host.PageSize = pageSize
	own := before(h.host)
	others := len(h.host.Comments())
	if own != 0 {
		others--
	}
	now := time.Now()
	for i := range writes {
		h.Enqueue(commitNotification(0, now.Add(time.Duration(i)*time.Second), "info"), h.row)
		for _, o := range h.settled(t, i+1) {
			if o.Result != Sent {
				t.Fatalf("%s: %v", o.Result, o.Err)
			}
		}
	}
	var found []githosttest.Comment
	for _, c := range h.host.Comments() {
		if c.Author == githosttest.Account && strings.HasPrefix(c.Body, marker) {
			found = append(found, c)
		}
	}
	if len(found) != 1 || len(h.host.Comments()) != others+1 {
		t.Fatalf("%d own comments of %d", len(found), len(h.host.Comments()))
	}
	if own != 0 && found[0].ID != own || !strings.Contains(found[0].Body, now.Add(2*time.Second).String()) {
		t.Errorf("comment %d is %q", found[0].ID, found[0].Body)
	}
	if _, got := h.host.Requests(); got != writes {
		t.Errorf("%d writes, want %d", got, writes)
	}
}

// TestCommentOfOthers finds a write of what a comment says already, and a memory that is trusted where another replica
// writes, too.
func TestCommentOfOthers(t *testing.T) {
	for _, kind := range []string{"giteapullrequestcomment", "githubpullrequestcomment", "gitlabmergerequestcomment"} {
		t.Run(kind, func(t *testing.T) {
			h := newHostAdapter(t, kind, func(cfg *provider.Config) { cfg.States = provider.NewStates(10, false) })
			at := time.Now()
			for i, step := range []struct {
				before   func()
				severity string
				writes   int
			}{
				{nil, "info", 1},
				{nil, "info", 1},
				{nil, "error", 2},
				{nil, "error", 2},
				{func() { h.host.DeleteComments() }, "error", 3},
			} {
				if step.before != nil {
					step.before()
				}
				h.Enqueue(commitNotification(0, at, step.severity), h.row)
				if o := h.settled(t, i+1)[i]; o.Result != Sent {
					t.Fatalf("%s: %v", o.Result, o.Err)
				}
				if _, writes := h.host.Requests(); writes != step.writes || len(h.host.Comments()) != 1 {
					t.Errorf("step %d: %d writes, want %d; %d comments", i, writes, step.writes, len(h.host.Comments()))
				}
			}
		})
	}
}

// TestCommentThatWasLost finds a sender that insists on a comment which is not there any more, or not its own.
func TestCommentThatWasLost(t *testing.T) {
	for name, lose := range map[string]func(*githosttest.Host){
		"deleted":         func(h *githosttest.Host) { h.DeleteComments() },
		"another account": func(h *githosttest.Host) { h.GiveComments("account-before") },
	} {
		for _, kind := range []string{"giteapullrequestcomment", "githubpullrequestcomment", "gitlabmergerequestcomment"} {
			t.Run(name+"/"+kind, func(t *testing.T) { checkLostComment(t, kind, lose) })
		}
	}
}

func checkLostComment(t *testing.T, kind string, lose func(*githosttest.Host)) {
	h := newHostAdapter(t, kind, nil)
	now := time.Now()
	h.Enqueue(commitNotification(0, now, "info"), h.row)
	h.settled(t, 1)
	lose(h.host)
	others := len(h.host.Comments())
	h.Enqueue(commitNotification(0, now.Add(time.Second), "error"), h.row)
	h.settled(t, 2)
	if got := h.host.Comments(); len(got) != others+1 || !strings.Contains(got[others].Body, "⚠️") {
		t.Fatalf("comments %+v", got)
	}
	// What is there already costs nothing.
	reads, writes := h.host.Requests()
	h.Enqueue(commitNotification(0, now.Add(time.Second), "error"), h.row)
	h.settled(t, 3)
	if r, w := h.host.Requests(); r != reads || w != writes {
		t.Errorf("a repetition costs %d reads and %d writes", r-reads, w-writes)
	}
}
