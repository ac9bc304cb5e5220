// Package githosttest holds Git hosts that keep what is written to them, for tests: commit statuses, comments in
// pages, and limits. They answer as the real ones do as far as senders look at it.
package githosttest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const (
	// Token is the one that a host knows, in the form that the Secret has for its type.
	Token = "good-user:good-token"
	// WeakToken is known too, but has no rights.
	WeakToken = "weak-user:weak-token"
	// Account is whose the tokens are.
	Account = "flux-bot"
	// UnknownCommit is one that no repository has.
	UnknownCommit = "0000000000000000000000000000000000000000"
	// UnknownRepository is the name of a repository that is not there.
	UnknownRepository = "missing"
)

// Status is a commit status that was written.
type Status struct{ Commit, Context, State, Description string }

// Comment is a comment on a change request.
type Comment struct {
	ID           int64
	Author, Body string
}

// Host is a Git host.
type Host struct {
	kind kind
	url  string
	// PageSize is the most that a page of comments has.
	PageSize int

	mu       sync.Mutex
	history  []Status
	comments []Comment
	nextID   int64
	reads    int
	writes   int
	refuse   http.HandlerFunc
}

// New starts a host of the given type of Provider. It ends with the test.
func New(t testing.TB, name string) *Host {
	k, ok := kinds()[name]
	if !ok {
		t.Fatalf("no host for Providers of type %q", name)
	}
	h := &Host{kind: k, PageSize: 100}
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// Address is that of a repository on the host.
func (h *Host) Address() string {
	return h.url + strings.ReplaceAll(h.kind.repository, "NAME", "webapp")
}

// URL is that of the host.
func (h *Host) URL() string { return h.url }

// MissingAddress is that of a repository which is not there.
func (h *Host) MissingAddress() string {
	return h.url + strings.ReplaceAll(h.kind.repository, "NAME", UnknownRepository)
}

// History returns all statuses in the order in which they were written.
func (h *Host) History() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Status(nil), h.history...)
}

// Comments returns the comments, oldest first.
func (h *Host) Comments() []Comment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Comment(nil), h.comments...)
}

// AddComment writes a comment and returns its ID.
func (h *Host) AddComment(author, body string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextID++
	h.comments = append(h.comments, Comment{h.nextID, author, body})
	return h.nextID
}

// DeleteComments deletes all comments.
func (h *Host) DeleteComments() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.comments = nil
}

// GiveComments makes another account the author of all comments.
func (h *Host) GiveComments(author string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.comments {
		h.comments[i].Author = author
	}
}

// Requests returns how many requests read, and how many wrote.
func (h *Host) Requests() (reads, writes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reads, h.writes
}

// Refuse has all requests answered by a handler from now on; nil ends that.
func (h *Host) Refuse(handler http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = handler
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Method == http.MethodGet {
		h.reads++
	} else {
		h.writes++
	}
	switch said := credentials(r); {
	case h.refuse != nil:
		h.refuse(w, r)
	case strings.Contains(said, "weak-token"):
		http.Error(w, `{"message":"Resource not accessible"}`, http.StatusForbidden)
	case !strings.Contains(said, "good-token"):
		http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
	case strings.Contains(r.URL.EscapedPath(), UnknownRepository):
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	case strings.Contains(r.URL.Path, UnknownCommit):
		http.Error(w, h.kind.unknownCommit, h.kind.unknownCommitStatus)
	default:
		h.route(w, r)
	}
}

// credentials returns what a request says of its caller, in whatever way.
func credentials(r *http.Request) string {
	said := r.Header.Get("Authorization") + r.Header.Get("Private-Token")
	if _, encoded, basic := strings.Cut(said, "Basic "); basic {
		decoded, _ := base64.StdEncoding.DecodeString(encoded)
		said = string(decoded)
	}
	return said
}

func (h *Host) route(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch path := r.URL.EscapedPath(); {
	case strings.HasSuffix(path, "/user"):
		answer(w, r, http.StatusOK, map[string]any{"login": Account, "username": Account})
	case strings.Contains(path, "/comments") || strings.Contains(path, "/notes"):
		h.routeComments(w, r, body)
	case r.Method == http.MethodGet:
		answer(w, r, http.StatusOK, h.kind.list(h.find, r))
	default:
		h.history = append(h.history, h.kind.read(r, body))
		answer(w, r, http.StatusCreated, map[string]any{"id": len(h.history)})
	}
}

// find returns the statuses of a commit, newest first.
func (h *Host) find(commit string) []Status {
	var found []Status
	for i := len(h.history) - 1; i >= 0; i-- {
		if h.history[i].Commit == commit {
			found = append(found, h.history[i])
		}
	}
	return found
}

// answer writes JSON, or 304 where the caller has it already. Nil is 404.
func answer(w http.ResponseWriter, r *http.Request, status int, value any) {
	if value == nil {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.Method == http.MethodGet {
		etag := `W/"` + base64.StdEncoding.EncodeToString(text) + `"`
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if len(etag) < 4<<10 {
			w.Header().Set("ETag", etag)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
