package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Check is a named condition of the process; an error says why it does not hold.
type Check func() error

// Health returns a handler that answers 200 if all checks hold at path, and that of one check below it. With the query
// "verbose" it lists them. A check named "ping" always holds.
func Health(path string, checks map[string]Check) http.Handler {
	all := map[string]Check{"ping": func() error { return nil }}
	maps.Copy(all, checks)

	mux := http.NewServeMux()
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { answer(w, r, all) })
	mux.HandleFunc(path+"/{check}", func(w http.ResponseWriter, r *http.Request) {
		check, ok := all[r.PathValue("check")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		answer(w, r, map[string]Check{r.PathValue("check"): check})
	})
	return mux
}

func answer(w http.ResponseWriter, r *http.Request, checks map[string]Check) {
	var report strings.Builder
	failed := false
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if err := checks[name](); err != nil {
			failed = true
			fmt.Fprintf(&report, "[-]%s failed: %v\n", name, err)
		} else {
			fmt.Fprintf(&report, "[+]%s ok\n", name)
		}
	}
	switch {
	case failed:
		http.Error(w, report.String(), http.StatusInternalServerError)
	case r.URL.Query().Has("verbose"):
		fmt.Fprintf(w, "%sok", report.String())
	default:
		fmt.Fprint(w, "ok")
	}
}
