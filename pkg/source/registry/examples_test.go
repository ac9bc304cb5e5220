package registry_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// signingKey is a token for the type that takes no other.
const signingKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestExamples makes the calls of the README, with the right token and with another one.
func TestExamples(t *testing.T) {
	calls := calls()
	for _, row := range registry.Types() {
		example := exampleOf(t, row)
		if example == "" {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			token, other := sourcetest.Token, "other"
			if row.Name == "standard-webhooks" {
				token, other = signingKey, "whsec_AAAA"
			}
			call := calls[row.Name]
			secret := sourcetest.Secret(source.TokenKey, token, "username", "azure")
			if status := runScript(t, row, secret, "bash -euo pipefail", example, "TOKEN="+token); status != http.StatusAccepted {
				t.Errorf("status %d with the right token", status)
			}
			if len(call.Proofs) == 0 {
				return
			}
			if status := runScript(t, row, secret, "bash -euo pipefail", example, "TOKEN="+other); status != http.StatusUnauthorized {
				t.Errorf("status %d with another token", status)
			}
		})
	}
}

// TestCallers makes the calls of the README's pipelines.
func TestCallers(t *testing.T) {
	row, ok := registry.New().Lookup("generic-hmac")
	if !ok {
		t.Fatal("there is no generic-hmac")
	}
	for name, test := range map[string]struct {
		shell, script string
		env           []string
	}{
		// As Jenkins and GitLab run it: https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/ and
		// https://docs.gitlab.com/ci/yaml/script/
		"Jenkins": {"sh -xe", jenkinsScript(t), []string{"BUILD_NUMBER=7", "TOKEN=" + sourcetest.Token}},
		"GitLab": {"sh -e", gitlabScript(t), []string{"CI_REGISTRY_IMAGE=registry.example.com/shop", "CI_COMMIT_TAG=1.2.3",
			"WEBHOOK_TOKEN=" + sourcetest.Token}},
	} {
		t.Run(name, func(t *testing.T) {
			for token, want := range map[string]int{sourcetest.Token: http.StatusAccepted, "other": http.StatusUnauthorized} {
				status := runScript(t, row, sourcetest.Secret(source.TokenKey, token), test.shell, test.script, test.env...)
				if status != want {
					t.Errorf("got %d, want %d", status, want)
				}
			}
		})
	}
}

// jenkinsScript is the step sh of the Jenkinsfile.
func jenkinsScript(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(readFile(t, "testdata/callers/Jenkinsfile"), "sh '''")
	script, _, ok := strings.Cut(rest, "'''")
	if !ok || strings.Contains(script, `\`) {
		t.Fatal("the Jenkinsfile has no step sh, or one with a backslash, which means something else to Groovy than to a shell")
	}
	return script
}

// gitlabScript is the script of the job in gitlab-ci.yml.
func gitlabScript(t *testing.T) string {
	t.Helper()
	var jobs map[string]struct{ Script []string }
	if err := yaml.Unmarshal([]byte(readFile(t, "testdata/callers/gitlab-ci.yml")), &jobs); err != nil {
		t.Fatal(err)
	}
	return strings.Join(jobs["reconcile"].Script, "\n")
}

// runScript runs a script that calls a Receiver of this type and Secret, and returns what that has answered. The script
// finds the address in URL and WEBHOOK_URL.
func runScript(t *testing.T, row source.Type, secret map[string][]byte, shell, script string, env ...string) int {
	t.Helper()
	for _, program := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the examples are not tried: there is no %s", program)
		}
	}
	status := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status = answer(row, r.Header, string(body), secret)
		w.WriteHeader(status)
	}))
	defer server.Close()
	command := exec.CommandContext(t.Context(), "sh", "-c", "exec "+shell+" -s")
	command.Stdin = strings.NewReader(script)
	command.Env = append(command.Environ(), append(env, "URL="+server.URL, "WEBHOOK_URL="+server.URL, "NO_PROXY=*")...)
	out, err := command.CombinedOutput()
	server.Close()
	if status == 0 || (err != nil) != (status != http.StatusAccepted && strings.Contains(script, "--fail")) {
		t.Fatalf("%v, status %d:\n%s", err, status, out)
	}
	return status
}

// answer is the status that the controller gives to a call.
func answer(row source.Type, header http.Header, body string, secret map[string][]byte) int {
	_, err := sourcetest.Verify(row, header, body, secret)
	switch {
	case err == nil:
		return http.StatusAccepted
	case source.IsUnauthenticated(err):
		return http.StatusUnauthorized
	default:
		return http.StatusBadRequest
	}
}
