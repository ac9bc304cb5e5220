package githosttest

import (
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"slices"
)

// kind is what hosts do each in their own way.
type kind struct {
	// repository is the path of a repository's address.
	repository string
	// unknownCommit is what is said of a commit that is not there.
	unknownCommit       string
	unknownCommitStatus int
	// link says that pages are told by the header Link.
	link bool
	// nextPage says that pages are told by the header X-Next-Page.
	nextPage bool
	// read takes a status out of a request.
	read func(r *http.Request, body []byte) Status
	// list answers a request for statuses; nil means that there is none.
	list func(find func(commit string) []Status, r *http.Request) any
}

func kinds() map[string]kind {
	github := kind{
		repository:          "/acme/NAME",
		unknownCommit:       `{"message":"No commit found for SHA: ` + UnknownCommit + `"}`,
		unknownCommitStatus: http.StatusUnprocessableEntity,
		link:                true,
		read:                reader("context"),
		list:                lister("context", "state"),
	}
	gitlab := kind{
		repository:          "/acme/group/NAME",
		unknownCommit:       `{"message":"404 Commit Not Found"}`,
		unknownCommitStatus: http.StatusNotFound,
		nextPage:            true,
		read:                reader("name"),
		list:                lister("name", "status"),
	}
	gitea := kind{
		repository:          "/acme/NAME",
		unknownCommit:       `{"message":"object does not exist [id: ` + UnknownCommit + `, rel_path: ]"}`,
		unknownCommitStatus: http.StatusNotFound,
		read:                reader("context"),
		list: func(find func(string) []Status, r *http.Request) any {
			// In no order that can be relied on.
			shown, _ := lister("context", "status")(find, r).([]any)
			slices.Reverse(shown)
			return shown
		},
	}
	return map[string]kind{
		"github": github, "githubpullrequestcomment": github,
		"gitlab": gitlab, "gitlabmergerequestcomment": gitlab,
		"gitea": gitea, "giteapullrequestcomment": gitea,
		"bitbucket": {
			repository:          "/acme/NAME",
			unknownCommit:       `{"error":{"message":"Commit not found"}}`,
			unknownCommitStatus: http.StatusNotFound,
			read:                reader("key"),
			list:                build,
		},
		"bitbucketserver": {
			repository:          "/scm/acme/NAME.git",
			unknownCommit:       `{"errors":[{"message":"Commit '` + UnknownCommit + `' does not exist in repository 'webapp'."}]}`,
			unknownCommitStatus: http.StatusNotFound,
			read:                reader("key"),
			list:                build,
		},
		"azuredevops": {
			repository:          "/acme/web/_git/NAME",
			unknownCommit:       `{"message":"TF401175: The version descriptor <Commit: ` + UnknownCommit + `> could not be resolved"}`,
			unknownCommitStatus: http.StatusNotFound,
			read:                readAzure,
			list:                listAzure,
		},
	}
}

// commitOf takes the commit out of a path.
func commitOf(r *http.Request) string {
	return regexp.MustCompile(`[0-9a-f]{40}`).FindString(r.URL.Path)
}

// reader reads statuses whose context has the given name.
func reader(context string) func(*http.Request, []byte) Status {
	return func(r *http.Request, body []byte) Status {
		var sent map[string]any
		_ = json.Unmarshal(body, &sent)
		text := func(name string) string {
			value, _ := sent[name].(string)
			return value
		}
		return Status{commitOf(r), text(context), text("state"), text("description")}
	}
}

// lister shows statuses whose context and state have the given names, newest first.
func lister(context, state string) func(func(string) []Status, *http.Request) any {
	return func(find func(string) []Status, r *http.Request) any {
		shown := []any{}
		all := find(commitOf(r))
		for i, s := range all {
			// GitLab's filter.
			if name := r.URL.Query().Get("name"); name == "" || name == s.Context {
				shown = append(shown, map[string]any{
					"id": len(all) - i, context: s.Context, state: s.State, "description": s.Description, "sha": s.Commit,
				})
			}
		}
		return shown
	}
}

// build shows the one build that is asked for, by its key in the path or in the query.
func build(find func(string) []Status, r *http.Request) any {
	key := r.URL.Query().Get("key")
	if key == "" {
		key = path.Base(r.URL.Path)
	}
	for _, s := range find(commitOf(r)) {
		if s.Context == key {
			return map[string]any{"key": key, "state": s.State, "description": s.Description, "name": "kustomization/webapp [" + s.Description + "]"}
		}
	}
	return nil
}

func readAzure(r *http.Request, body []byte) Status {
	var sent struct {
		Context struct {
			Name  string `json:"name"`
			Genre string `json:"genre"`
		} `json:"context"`
		State       string `json:"state"`
		Description string `json:"description"`
	}
	_ = json.Unmarshal(body, &sent)
	return Status{commitOf(r), sent.Context.Genre + "/" + sent.Context.Name, sent.State, sent.Description}
}

func listAzure(find func(string) []Status, r *http.Request) any {
	shown := []any{}
	for _, s := range find(commitOf(r)) {
		parts := regexp.MustCompile(`^([^/]*)/(.*)$`).FindStringSubmatch(s.Context)
		shown = append(shown, map[string]any{
			"context": map[string]any{"genre": parts[1], "name": parts[2]}, "state": s.State, "description": s.Description,
		})
	}
	return map[string]any{"count": len(shown), "value": shown}
}
