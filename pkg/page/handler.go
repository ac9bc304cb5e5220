package page

import (
	"embed"
	"encoding/json"
	"net/http"
	"strings"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
)

//go:embed assets
var assets embed.FS

// Path is where the page is; what it loads is below. DataPath is where the data are that it shows.
const (
	Path     = "/status"
	DataPath = Path + "/data.json"
)

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
//
// The page is made in the browser: html/template calls methods by name, for which the linker would keep every exported
// method of the whole program, a third of its size.
type Handler struct {
	options Options
	mux     *http.ServeMux
}

// NewHandler returns a Handler.
func NewHandler(o Options) *Handler {
	h := &Handler{options: o, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET "+Path, asset("index.html", "text/html; charset=utf-8"))
	h.mux.HandleFunc("GET "+Path+"/page.css", asset("page.css", "text/css; charset=utf-8"))
	h.mux.HandleFunc("GET "+Path+"/page.js", asset("page.js", "text/javascript; charset=utf-8"))
	h.mux.HandleFunc("GET "+DataPath, h.data)
	return h
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

// data answers with a [view], for the filter of the query: object is a part of KIND/NAMESPACE/NAME, and any failed asks
// only for deliveries that failed.
func (h *Handler) data(w http.ResponseWriter, r *http.Request) {
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
	shown.Backlogs = backlogRows(h.options.Backlogs(maxRows), h.options.Ledger.now())
	shown.Receivers = h.options.Ledger.receiverRows(receivers, f)
	// Whole, so that an error is not half an answer.
	data, err := json.Marshal(shown)
	if err != nil {
		http.Error(w, "the data cannot be written: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The viewer may be gone, which changes nothing.
	_, _ = w.Write(data)
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
