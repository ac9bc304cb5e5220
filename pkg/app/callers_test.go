package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

// block is a fenced block of a page.
type block struct{ language, text string }

// blocksOf returns the blocks of a part of a page that begins with a heading and ends before another one.
func blocksOf(t *testing.T, page, from, to string) []block {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), from)
	part, _, ends := strings.Cut(part, to)
	if !found || !ends {
		t.Fatalf("%s has no part from %q to %q", page, from, to)
	}
	var blocks []block
	for _, match := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(part, -1) {
		blocks = append(blocks, block{match[1], match[2]})
	}
	return blocks
}

// reader is somebody who does what a page says, in a namespace of a cluster.
type reader struct {
	*process
	cp        *apitest.ControlPlane
	namespace string
	env       []string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	for _, program := range []string{"bash", "curl", "openssl", "jq", "basenc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the pages are not tried: there is no %s", program)
		}
	}
	cp := shared(t)
	ns := namespace(t, cp)
	kubeconfig, err := os.ReadFile(cp.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(own, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	cp.Kubectl(t, "--kubeconfig", own, "config", "set-context", "--current", "--namespace", ns)
	cp.Apply(t, gitRepository(ns, "webapp"))
	return &reader{start(t, cp, nil), cp, ns, append(cp.Env(), "KUBECONFIG="+own, "NO_PROXY=*")}
}

// run runs a script in a shell and returns what it prints.
func (r *reader) run(shell, script string, env ...string) (string, error) {
	command := exec.CommandContext(r.t.Context(), "sh", "-c", "exec "+shell+" -s")
	command.Stdin = strings.NewReader(script)
	command.Env = append(r.env, env...)
	command.WaitDelay = time.Second // What a script leaves running holds its output open.
	out, err := command.CombinedOutput()
	return string(out), err
}

// does runs a script that has to succeed.
func (r *reader) does(shell, script string, env ...string) string {
	r.t.Helper()
	out, err := r.run(shell, script, env...)
	if err != nil {
		r.t.Fatalf("%v in:\n%s\nIt printed:\n%s", err, script, out)
	}
	return out
}

// annotated waits until a call has had the GitRepository annotated, and takes the annotation away again.
func (r *reader) annotated() {
	r.t.Helper()
	eventually(r.t, "the annotation", func() error {
		if annotation(r.t, r.cp, r.namespace, "webapp") == "" {
			return errors.New("none")
		}
		return nil
	})
	r.cp.Kubectl(r.t, "-n", r.namespace, "annotate", "gitrepository", "webapp", requestedAt+"-")
}

// TestReadmeOfSources does what pkg/source/README.md says: for one type that has a Secret, and for the one that has none.
func TestReadmeOfSources(t *testing.T) {
	const page = "../source/README.md"
	r := newReader(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(issuer)
	here := strings.NewReplacer("127.0.0.1:9292", r.ReceiverAddress(), "8099", port)

	scripts := append(blocksOf(t, page, "## Try each type", "### generic\n"), blocksOf(t, page, "### gitlab\n", "### bitbucket\n")...)
	scripts = append(scripts, blocksOf(t, page, "### generic-oidc\n", "### github\n")...)
	if len(scripts) != 3 {
		t.Fatalf("the README has %d scripts", len(scripts))
	}
	for _, script := range []string{scripts[0].text + scripts[1].text, scripts[2].text} {
		if out := r.does("bash -euo pipefail", here.Replace(script)); !strings.Contains(out, "HTTP/1.1 202") {
			t.Errorf("not accepted: %s\n%s", script, out)
		}
		r.annotated()
	}
}

// TestCallers does what pkg/source/CALLERS.md says. Where it names GitHub and GitLab, an issuer of the test stands for both.
func TestCallers(t *testing.T) {
	r := newReader(t)
	issuer := oidctest.Serve(t)
	path := ""
	for _, b := range blocksOf(t, "../source/CALLERS.md", "## With a token", "To change the secret") {
		switch {
		case b.language == "sh":
			r.does("bash -euo pipefail", b.text)
		case strings.Contains(b.text, "kind: Receiver"):
			path = r.applyReceiver(b.text, issuer.URL)
		case b.language == "groovy":
			r.callsWithSecret("sh -xe", jenkinsScript(t, b.text), path, "BUILD_NUMBER=7")
		case strings.Contains(b.text, "id-token: write"):
			r.callsFromGitHub(b.text, path, issuer)
		case strings.Contains(b.text, "id_tokens:"):
			r.callsFromGitLab(b.text, path, issuer)
		default:
			r.callsWithSecret("sh -e", gitlabJob(t, b.text).script(), path, gitlabVariables()...)
		}
	}
}

var issuerField = regexp.MustCompile(`(issuerURL:) .*`)

// applyReceiver applies a Receiver, as it is and with another issuer, and returns its path.
func (r *reader) applyReceiver(manifest, issuer string) string {
	r.t.Helper()
	var head struct{ Metadata struct{ Name string } }
	if err := yaml.Unmarshal([]byte(manifest), &head); err != nil {
		r.t.Fatal(err)
	}
	for _, text := range []string{manifest, issuerField.ReplaceAllString(manifest, "$1 "+issuer)} {
		if _, err := r.cp.TryKubectl(text, "-n", r.namespace, "apply", "-f", "-"); err != nil {
			r.t.Fatal(err)
		}
		path := receiver(r.t, r.cp, r.namespace, head.Metadata.Name, "True").Status.WebhookPath
		if path == "" {
			r.t.Fatalf("%s has no path", head.Metadata.Name)
		}
	}
	path := receiver(r.t, r.cp, r.namespace, head.Metadata.Name, "True").Status.WebhookPath
	r.knows(path)
	return path
}

// call runs the script of a pipeline, which is to call a path, and to be accepted unless it is to be refused with a text.
func (r *reader) call(shell, script, path, refusal string, env ...string) {
	r.t.Helper()
	env = append(env, "WEBHOOK_URL=http://"+r.ReceiverAddress()+path)
	if refusal == "" {
		r.does(shell, script, env...)
		r.annotated()
		return
	}
	out, err := r.run(shell, script, env...)
	if err == nil || !strings.Contains(out, refusal) {
		r.t.Errorf("%v, want %q, in:\n%s\nIt printed:\n%s", err, refusal, script, out)
	}
	if annotation(r.t, r.cp, r.namespace, "webapp") != "" {
		r.t.Error("a call that is not authentic annotated")
	}
}

func (r *reader) callsWithSecret(shell, script, path string, env ...string) {
	r.t.Helper()
	token := r.does("bash -euo pipefail", "kubectl get secret pipeline -o jsonpath='{.data.token}' | base64 -d")
	r.call(shell, script, path, "not authentic", append(env, "WEBHOOK_TOKEN=other")...)
	r.call(shell, script, path, "", append(env, "WEBHOOK_TOKEN="+token)...)
}

// jenkinsScript is the step sh of a Jenkinsfile.
func jenkinsScript(t *testing.T, pipeline string) string {
	t.Helper()
	_, rest, _ := strings.Cut(pipeline, "sh '''")
	script, _, ok := strings.Cut(rest, "'''")
	if !ok || strings.Contains(script, `\`) {
		t.Fatal("the Jenkinsfile has no step sh, or one with a backslash, which means something else to Groovy than to a shell")
	}
	return script
}

// job is the one of a .gitlab-ci.yml that calls the Receiver.
type job struct {
	Script   []string
	IDTokens map[string]struct{ Aud string } `json:"id_tokens"`
}

func (j job) script() string { return strings.Join(j.Script, "\n") }

func gitlabJob(t *testing.T, pipeline string) job {
	t.Helper()
	var jobs map[string]job
	if err := yaml.Unmarshal([]byte(pipeline), &jobs); err != nil {
		t.Fatal(err)
	}
	return jobs["reconcile"]
}

func gitlabVariables() []string {
	return []string{"CI_REGISTRY_IMAGE=registry.example.com/shop", "CI_COMMIT_TAG=1.2.3"}
}

// callsFromGitLab gives the job its tokens as https://docs.gitlab.com/ci/secrets/id_token_authentication/ says.
func (r *reader) callsFromGitLab(pipeline, path string, issuer *oidctest.Issuer) {
	r.t.Helper()
	job := gitlabJob(r.t, pipeline)
	for project, refusal := range map[string]string{"acme/shop": "", "acme/other": "the project is not allowed"} {
		env := gitlabVariables()
		for name, token := range job.IDTokens {
			env = append(env, name+"="+issuer.Token(r.t, map[string]any{
				"iss": issuer.URL, "aud": token.Aud, "exp": time.Now().Add(time.Minute).Unix(),
				"project_path": project, "ref": "1.2.3", "ref_type": "tag", "ref_protected": "true",
			}))
		}
		r.call("sh -e", job.script(), path, refusal, env...)
	}
}

// callsFromGitHub gives the job an endpoint for tokens, as
// https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token says.
func (r *reader) callsFromGitHub(pipeline, path string, issuer *oidctest.Issuer) {
	r.t.Helper()
	var workflow struct {
		Jobs map[string]struct{ Steps []struct{ Shell, Run string } }
	}
	if err := yaml.Unmarshal([]byte(pipeline), &workflow); err != nil {
		r.t.Fatal(err)
	}
	step := workflow.Jobs["reconcile"].Steps[0]
	if step.Shell != "bash" {
		r.t.Fatalf("the step runs in the shell %q", step.Shell)
	}
	for repository, refusal := range map[string]string{"acme/shop": "", "acme/other": "the repository is not allowed"} {
		tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Authorization") != "Bearer request-token" || req.FormValue("api-version") != "2.0" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"count": 1, "value": issuer.Token(r.t, map[string]any{
				"iss": issuer.URL, "aud": req.FormValue("audience"), "exp": time.Now().Add(time.Minute).Unix(),
				"repository": repository, "ref": "refs/tags/1.2.3",
			})})
		}))
		defer tokens.Close()
		// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
		r.call("bash --noprofile --norc -eo pipefail", step.Run, path, refusal, "GITHUB_REPOSITORY="+repository, "GITHUB_REF_NAME=1.2.3",
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token", fmt.Sprintf("ACTIONS_ID_TOKEN_REQUEST_URL=%s/?api-version=2.0", tokens.URL))
	}
}
