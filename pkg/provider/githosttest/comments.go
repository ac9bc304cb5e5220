package githosttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
)

// routeComments lists comments in pages, creates and changes them. All hosts call the parts of a comment by the same
// names, but for its author.
func (h *Host) routeComments(w http.ResponseWriter, r *http.Request, body []byte) {
	var sent struct {
		Body string `json:"body"`
	}
	_ = json.Unmarshal(body, &sent)
	switch r.Method {
	case http.MethodGet:
		h.listComments(w, r)
	case http.MethodPost:
		h.nextID++
		h.comments = append(h.comments, Comment{h.nextID, Account, sent.Body})
		answer(w, r, http.StatusCreated, map[string]any{"id": h.nextID})
	default:
		for i := range h.comments {
			if strconv.FormatInt(h.comments[i].ID, 10) == path.Base(r.URL.Path) {
				if h.comments[i].Author != Account {
					http.Error(w, `{"message":"Must be the author"}`, http.StatusForbidden)
					return
				}
				h.comments[i].Body = sent.Body
				answer(w, r, http.StatusOK, map[string]any{"id": h.comments[i].ID})
				return
			}
		}
		answer(w, r, http.StatusNotFound, nil)
	}
}

func (h *Host) listComments(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	size, _ := strconv.Atoi(query.Get("per_page") + query.Get("limit"))
	page, size = max(page, 1), max(min(size, h.PageSize), 1)
	start := min((page-1)*size, len(h.comments))
	end := min(start+size, len(h.comments))
	if h.kind.link && end < len(h.comments) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next", <%s>; rel="last"`, h.url, r.URL.EscapedPath(), page+1, h.url))
	}
	if h.kind.nextPage {
		next := ""
		if end < len(h.comments) {
			next = strconv.Itoa(page + 1)
		}
		w.Header().Set("X-Next-Page", next)
	}
	shown := []any{}
	for _, c := range h.comments[start:end] {
		author := map[string]any{"login": c.Author, "username": c.Author}
		shown = append(shown, map[string]any{"id": c.ID, "body": c.Body, "user": author, "author": author})
	}
	answer(w, r, http.StatusOK, shown)
}
