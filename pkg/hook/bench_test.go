package hook

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// authenticated returns a call as it is after its first stages.
func authenticated(b *testing.B, f *fixture) *call {
	r := push()
	c := &call{at: time.Now()}
	if v := f.lookup(c, r); v != nil {
		b.Fatal(v.text)
	}
	if v := f.authenticate(c, httptest.NewRecorder(), r); v != nil {
		b.Fatal(v.text)
	}
	return c
}

func BenchmarkLookup(b *testing.B) {
	f := newFixture(b, receiver())
	r := push()
	b.ReportAllocs()
	for b.Loop() {
		if v := f.lookup(&call{}, r); v != nil {
			b.Fatal(v.text)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	f := newFixture(b, receiver())
	c := authenticated(b, f)
	secret, err := f.secretOf(c, githubPath)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		request := source.Request{Header: c.request.Header, Body: c.request.Body}
		if _, err := c.typ.Verifier.Verify(b.Context(), &request, secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	f := newFixture(b, receiver(func(r *v1.Receiver) {
		r.Spec.ResourceFilter = "req.ref == 'refs/heads/main' && res.metadata.name.startsWith('shop')"
	}))
	c := authenticated(b, f)
	b.ReportAllocs()
	for b.Loop() {
		filter, v := f.prepareFilter(c)
		if v != nil {
			b.Fatal(v.text)
		}
		found, _ := f.resolve(c.receiver)
		if passed, problems := filter.apply(b.Context(), found); len(passed) != 1 {
			b.Fatal(problems)
		}
	}
}

// BenchmarkAnnotate hands requests over for an object that waits to be written.
func BenchmarkAnnotate(b *testing.B) {
	a := NewAnnotator(AnnotatorOptions{Observer: &fakeObserver{}})
	r, targets := receiver(), []Target{target("shop")}
	at := time.Now()
	gone := func() {}
	b.ReportAllocs()
	for b.Loop() {
		a.Annotate(r, targets, at, gone)
	}
}

// BenchmarkWebhook takes a call through all stages.
func BenchmarkWebhook(b *testing.B) {
	f := newFixture(b, receiver())
	handler := f.Handler()
	b.ReportAllocs()
	for b.Loop() {
		f.queue.targets = f.queue.targets[:0]
		f.observer.webhooks = f.observer.webhooks[:0]
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, push())
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Code)
		}
	}
}
