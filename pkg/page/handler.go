package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
)

//go:embed assets
var assets embed.FS

// Path is where the page is; what it loads is below.
const Path = "/status"

// maxObject is the longest filter, in bytes.
const maxObject = 1024

// policy has the browser load and run nothing but what comes from here (https://www.w3.org/TR/CSP3/).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Options are what the page shows, beside the Ledger.
type Options struct {
	Ledger *Ledger
	// Backlogs gives the longest queues.
	Backlogs func(limit int) []dispatch.Backlog
	// Receivers gives all Receivers, from a cache.
	Receivers func() ([]*v1.Receiver, error)
}

// Handler serves the page to those who GET it. It changes nothing.
type Handler struct {
	options  Options
	template *template.Template
	mux      *http.ServeMux
}

// NewHandler returns a Handler. The error is that of a broken template.
func NewHandler(o Options) (*Handler, error) {
	parsed, err := template.New("page.html.tmpl").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"exact": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).ParseFS(assets, "assets/page.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse the status page: %w", err)
	}
	h := &Handler{options: o, template: parsed, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET "+Path, h.page)
	h.mux.HandleFunc("GET "+Path+"/page.css", asset("page.css", "text/css; charset=utf-8"))
	h.mux.HandleFunc("GET "+Path+"/page.js", asset("page.js", "text/javascript; charset=utf-8"))
	return h, nil
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f := filter{object: strings.ToLower(strings.TrimSpace(query.Get("object"))), failed: query.Get("failed") != ""}
	if len(f.object) > maxObject {
		http.Error(w, "object: the filter is too long", http.StatusBadRequest)
		return
	}
	receivers, err := h.options.Receivers()
	if err != nil {
		http.Error(w, "the Receivers cannot be listed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	shown := h.options.Ledger.view(f)
	shown.Backlogs = backlogRows(h.options.Backlogs(maxRows), shown.Now)
	shown.Receivers = h.options.Ledger.receiverRows(receivers, f)
	// Whole, so that an error is not half a page.
	var page bytes.Buffer
	if err := h.template.Execute(&page, shown); err != nil {
		http.Error(w, "the page cannot be written: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// The viewer may be gone, which changes nothing.
	_, _ = page.WriteTo(w)
}

// asset serves one file.
func asset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", contentType)
		// The viewer may be gone, which changes nothing.
		_, _ = w.Write(content)
	}
}
