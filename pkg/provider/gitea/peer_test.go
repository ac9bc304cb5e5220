package gitea

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/peertest"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
)

const (
	peerUser     = "flux"
	peerPassword = "a-long-password-1"
)

// peer is a real Gitea with a repository, its first commit and a pull request.
type peer struct {
	t             *testing.T
	url           string
	token         string
	commit        string
	configuration string
}

// startPeer starts the Gitea that make gitea has built.
func startPeer(t *testing.T) *peer {
	program := peertest.Find(t, "gitea", "gitea")
	dir := t.TempDir()
	address := peertest.Address(t)
	p := &peer{t: t, url: "http://" + address.String(), configuration: filepath.Join(dir, "app.ini")}
	configuration := fmt.Sprintf(`RUN_USER = %s
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %d
ROOT_URL = %s/
STATIC_ROOT_PATH = %s
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %[5]s/gitea.db
[repository]
ROOT = %[5]s/repositories
[security]
INSTALL_LOCK = true
[log]
LEVEL = Error
[api]
MAX_RESPONSE_ITEMS = 10
`, currentUser(t), address.Port, p.url, filepath.Dir(program), dir)
	if err := os.WriteFile(p.configuration, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		command := exec.Command(program, append([]string{"--config", p.configuration, "--work-path", dir}, args...)...)
		// Gitea does not run as root unless told to.
		command.Env = append(os.Environ(), "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT=true", "HOME="+dir, "GITEA_WORK_DIR="+dir)
		return command
	}
	for _, args := range [][]string{{"migrate"}, {"admin", "user", "create", "--admin", "--username", peerUser, "--password", peerPassword, "--email", "flux@example.org", "--must-change-password=false"}} {
		if out, err := run(args...).CombinedOutput(); err != nil {
			t.Fatalf("gitea %s: %v\n%s", args[0], err, out)
		}
	}
	peertest.Start(t, run("web"), func() bool { return peertest.Answers(p.url + "/api/v1/version") })
	p.populate()
	return p
}

func currentUser(t *testing.T) string {
	out, err := exec.Command("id", "-un").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// populate makes a token, a repository and a pull request.
func (p *peer) populate() {
	var token struct {
		SHA1 string `json:"sha1"`
	}
	p.call(http.MethodPost, "/users/"+peerUser+"/tokens", `{"name":"flux","scopes":["write:repository","write:issue","read:user","write:user"]}`, &token)
	p.token = token.SHA1
	p.call(http.MethodPost, "/user/repos", `{"name":"webapp","auto_init":true,"default_branch":"main"}`, nil)
	var branch struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	p.call(http.MethodGet, "/repos/flux/webapp/branches/main", "", &branch)
	p.commit = branch.Commit.ID
	p.call(http.MethodPost, "/repos/flux/webapp/contents/file.txt", `{"content":"aGVsbG8=","message":"add","branch":"main","new_branch":"change"}`, nil)
	p.call(http.MethodPost, "/repos/flux/webapp/pulls", `{"head":"change","base":"main","title":"change"}`, nil)
}

// call uses the API as the user.
func (p *peer) call(method, path, body string, into any) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.SetBasicAuth(peerUser, peerPassword)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		p.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *peer) config() provider.Config {
	client := httpx.NewClient(httpx.Options{})
	p.t.Cleanup(client.CloseIdleConnections)
	return provider.Config{
		Provider: provider.Object{Namespace: "apps", Name: "prov", UID: "4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21"},
		Address:  p.url + "/flux/webapp.git", Token: p.token, Client: client,
	}
}

func (p *peer) notification() *provider.Notification {
	n := githosttest.Notification()
	n.Event.Metadata["revision"] = "main@sha1:" + p.commit
	n.Event.Metadata["change_request"] = "1"
	return n
}

// TestRealGitea has a real Gitea take statuses and comments.
func TestRealGitea(t *testing.T) {
	p := startPeer(t)
	t.Run("status", p.testStatus)
	t.Run("comment", p.testComment)
	t.Run("refused", p.testRefused)
}

func (p *peer) testStatus(t *testing.T) {
	sender, err := New(p.config())
	if err != nil {
		t.Fatal(err)
	}
	n := p.notification()
	type shownStatus struct {
		ID                           int64
		Status, Description, Context string
	}
	var shown []shownStatus
	for i, test := range []struct {
		reason, severity, status string
		count                    int
	}{
		{"Progressing", "info", "pending", 1},
		{"HealthCheckFailed", "error", "failure", 2},
		{"HealthCheckFailed", "error", "failure", 2},
		{"HealthCheckPassed", "info", "success", 3},
	} {
		n.Event.Reason, n.Event.Severity = test.reason, test.severity
		if err := sender.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		p.call(http.MethodGet, "/repos/flux/webapp/commits/"+p.commit+"/statuses", "", &shown)
		slices.SortFunc(shown, func(a, b shownStatus) int { return cmp.Compare(b.ID, a.ID) })
		if len(shown) != test.count || shown[0].Status != test.status || shown[0].Context != n.StatusID ||
			shown[0].Description != provider.Describe(test.reason) {
			t.Errorf("%d: Gitea shows %+v", i, shown)
		}
	}
}

// testComment has more comments on the pull request than a page holds, of which this Gitea gives ten at a time.
func (p *peer) testComment(t *testing.T) {
	for i := range 25 {
		p.call(http.MethodPost, "/repos/flux/webapp/issues/1/comments", fmt.Sprintf(`{"body":"comment %d"}`, i), nil)
	}
	n := p.notification()
	for i := range 3 {
		// A new sender each time, which remembers nothing.
		sender, err := NewPullRequestComment(p.config())
		if err != nil {
			t.Fatal(err)
		}
		n.Event.Message = fmt.Sprint("message ", i, " <b>&amp;</b> 🚨")
		if err := sender.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	var pull struct {
		Comments int `json:"comments"`
	}
	p.call(http.MethodGet, "/repos/flux/webapp/pulls/1", "", &pull)
	if pull.Comments != 26 {
		t.Errorf("Gitea shows %d comments, want 26", pull.Comments)
	}
}

func (p *peer) testRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*provider.Config, *provider.Notification)
		says   string
	}{
		"token":      {func(cfg *provider.Config, _ *provider.Notification) { cfg.Token = strings.Repeat("0", 40) }, "token"},
		"repository": {func(cfg *provider.Config, _ *provider.Notification) { cfg.Address = p.url + "/flux/missing" }, "spec.address"},
		"commit": {func(_ *provider.Config, n *provider.Notification) {
			n.Event.Metadata["revision"] = githosttest.UnknownCommit
		}, githosttest.UnknownCommit},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, n := p.config(), p.notification()
			test.change(&cfg, n)
			sender, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = sender.Send(t.Context(), n)
			if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "Provider 'apps/prov'") {
				t.Errorf("got %v", err)
			}
		})
	}
}
