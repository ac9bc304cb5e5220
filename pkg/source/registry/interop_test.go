package registry_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// unsigned is a call for the vendors' libraries to sign.
type unsigned struct {
	Body   string `json:"body"`
	Secret string `json:"secret"`
	Key    string `json:"key"`
	ID     string `json:"id"`
	Time   int64  `json:"time"`
}

// signatures are what the libraries make of a call.
type signatures struct{ GitHub, Standard string }

// TestInterop has calls signed with @octokit/webhooks-methods and standardwebhooks, of npm, which are to verify, and not
// when anything of them is altered.
func TestInterop(t *testing.T) {
	var calls []unsigned
	for i, body := range []string{`{"ref":"refs/heads/main"}`, "{}", "{\"text\":\"Grüße, 世界 \U0001f600\"}", " {\r\n}\n", strings.Repeat("x", 1<<16)} {
		calls = append(calls, unsigned{
			Body:   body,
			Secret: "sécret\t" + strings.Repeat("k", 1+40*i), // Also longer than a block of SHA-256.
			Key:    "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("K", 24+20*i))),
			ID:     "msg_" + strconv.Itoa(i),
			Time:   time.Now().Unix(),
		})
	}
	for i, signed := range signWithNode(t, calls) {
		checkInterop(t, calls[i], signed)
	}
}

// checkInterop checks what comes of a signed call, and of all that it can be altered to.
func checkInterop(t *testing.T, call unsigned, signed signatures) {
	timestamp := strconv.FormatInt(call.Time, 10)
	github := sourcetest.Header("Content-Type", "application/json", "X-Hub-Signature-256", signed.GitHub)
	gitea := sourcetest.Header("Content-Type", "application/json", "X-Gitea-Signature", strings.TrimPrefix(signed.GitHub, "sha256="))
	standard := func(id, timestamp string) http.Header {
		return sourcetest.Header("Webhook-Id", id, "Webhook-Timestamp", timestamp, "Webhook-Signature", signed.Standard)
	}
	for _, test := range []struct {
		what, typ, secret string
		header            http.Header
		body              string
		want              sourcetest.Outcome
	}{
		{"signed", "github", call.Secret, github, call.Body, sourcetest.Authentic},
		{"signed", "bitbucket", call.Secret, github, call.Body, sourcetest.Authentic},
		{"signed for Gitea", "github", call.Secret, gitea, call.Body, sourcetest.Authentic},
		{"signed", "standard-webhooks", call.Key, standard(call.ID, timestamp), call.Body, sourcetest.Authentic},
		{"signed", "gitlab", call.Key, standard(call.ID, timestamp), call.Body, sourcetest.Authentic},
		{"another body", "github", call.Secret, github, call.Body + " ", sourcetest.NotAuthentic},
		{"another body for Gitea", "github", call.Secret, gitea, call.Body + " ", sourcetest.NotAuthentic},
		{"another secret", "github", call.Secret + "k", github, call.Body, sourcetest.NotAuthentic},
		{"another body", "bitbucket", call.Secret, github, call.Body + " ", sourcetest.NotAuthentic},
		{"another body", "standard-webhooks", call.Key, standard(call.ID, timestamp), call.Body + " ", sourcetest.NotAuthentic},
		{"another id", "standard-webhooks", call.Key, standard(call.ID+"0", timestamp), call.Body, sourcetest.NotAuthentic},
		{"another time", "standard-webhooks", call.Key, standard(call.ID, strconv.FormatInt(call.Time+1, 10)), call.Body, sourcetest.NotAuthentic},
		{"another key", "standard-webhooks", "whsec_AAAA", standard(call.ID, timestamp), call.Body, sourcetest.NotAuthentic},
		{"another body", "gitlab", call.Key, standard(call.ID, timestamp), call.Body + " ", sourcetest.NotAuthentic},
	} {
		row, ok := registry.New().Lookup(test.typ)
		if !ok {
			t.Fatalf("there is no type %q", test.typ)
		}
		_, err := sourcetest.Verify(row, test.header, test.body, sourcetest.Secret(source.TokenKey, test.secret))
		if got := sourcetest.OutcomeOf(t, err); got != test.want {
			t.Errorf("%s, %s, body of %d bytes: got %q (%v), want %q", test.typ, test.what, len(call.Body), got, err, test.want)
		}
	}
}

// signWithNode has calls signed by hack/interop/sign.mjs.
func signWithNode(t *testing.T, calls []unsigned) []signatures {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the vendors' libraries are not tried: there is no %s", program)
		}
	}
	folder, err := exec.CommandContext(t.Context(), "../../../hack/npm-interop.sh").Output()
	if err != nil {
		t.Fatalf("hack/npm-interop.sh: %v\n%s", err, stderrOf(err))
	}
	in, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", filepath.Join(strings.TrimSpace(string(folder)), "sign.mjs"))
	node.Stdin = bytes.NewReader(in)
	out, err := node.Output()
	if err != nil {
		t.Fatalf("sign.mjs: %v\n%s", err, stderrOf(err))
	}
	var signed []signatures
	if err := json.Unmarshal(out, &signed); err != nil || len(signed) != len(calls) {
		t.Fatalf("sign.mjs wrote %d signatures for %d calls: %v", len(signed), len(calls), err)
	}
	return signed
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}
