package server

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"k8s.io/klog/v2"
)

// RequestMetrics counts the requests of one server.
type RequestMetrics interface {
	// RequestStarted is called with the handler's name, and its result when the request has been answered.
	RequestStarted(handler string) (done func(method, code string, took time.Duration, bytes int))
}

// Observe measures the requests to a handler. name gives the value of the label "handler" and has to come from a
// small set. A handler that panics is logged, and answers 500.
func Observe(next http.Handler, log klog.Logger, metrics RequestMetrics, name func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := metrics.RequestStarted(name(r))
		start := time.Now()
		counted := &countingWriter{ResponseWriter: w, code: http.StatusOK}
		panicked := serve(next, log, counted, r)
		done(method(r.Method), strconv.Itoa(counted.code), time.Since(start), counted.bytes)
		if panicked && counted.answered {
			panic(http.ErrAbortHandler) // Or the caller would take what it has got for the whole answer.
		}
		if panicked {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}
	})
}

// serve says whether the handler panicked, and logs it: net/http does so on a level that nobody reads.
func serve(next http.Handler, log klog.Logger, w *countingWriter, r *http.Request) (panicked bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		panicked, w.code = true, http.StatusInternalServerError
		err, ok := cause.(runtime.Error)
		if !ok {
			// What others panic with may quote the request.
			err = nil
		}
		log.Error(err, "A handler panicked", "with", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
	}()
	next.ServeHTTP(w, r)
	return false
}

// method is the request's method, "other" for one that a caller has invented.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return "other"
}

// countingWriter remembers what was answered.
type countingWriter struct {
	http.ResponseWriter
	code     int
	bytes    int
	answered bool
}

func (w *countingWriter) WriteHeader(code int) {
	w.code, w.answered = code, true
	w.ResponseWriter.WriteHeader(code)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.answered = true
	n, err := w.ResponseWriter.Write(p)
	w.bytes += n
	return n, err
}

// Unwrap lets [http.ResponseController] reach the real writer.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
