package registry_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// signingKey is a token for the type that takes no other.
const signingKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// Values of the keys of Secrets, as the README has them.
const (
	exampleEmail    = "pubsub@acme.iam.gserviceaccount.com"
	exampleAudience = "https://flux.example.com"
	exampleTopic    = "arn:aws:sns:us-west-2:123456789012:images"
)

// TestExamples makes the calls of the README, with the right token and with another one. That of generic-oidc needs a
// cluster: it is tried by the tests of app.
func TestExamples(t *testing.T) {
	calls := calls()
	for _, row := range registry.Types() {
		if row.New != nil {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			token, other := sourcetest.Token, "other"
			if row.Name == "standard-webhooks" {
				token, other = signingKey, "whsec_AAAA"
			}
			example := exampleOf(t, row, callExtension)
			receiver := called{row.Verifier, sourcetest.Secret(source.TokenKey, token, "username", "azure")}
			if status := receiver.run(t, example, "TOKEN="+token); status != http.StatusAccepted {
				t.Errorf("status %d with the right token", status)
			}
			if len(calls[row.Name].Proofs) == 0 {
				return
			}
			if status := receiver.run(t, example, "TOKEN="+other); status != http.StatusUnauthorized {
				t.Errorf("status %d with another token", status)
			}
		})
	}
}

// TestExampleOfGCR has another gcloud than Google's, which gives out a token if it is asked as the original wants to be.
func TestExampleOfGCR(t *testing.T) {
	issuer := oidctest.New(t)
	row := rowOf(t, "gcr")
	for email, want := range map[string]int{exampleEmail: http.StatusAccepted, "other@acme.iam.gserviceaccount.com": http.StatusUnauthorized} {
		token := strings.TrimPrefix(bearer(t, issuer, map[string]any{
			"iss": "https://accounts.google.com", "aud": exampleAudience, "email": email, "email_verified": true,
		}), "Bearer ")
		path := program(t, "gcloud", fmt.Sprintf(`[[ "$*" == "auth print-identity-token --impersonate-service-account=%s --include-email --audiences=%s" ]] && echo %s`,
			exampleEmail, exampleAudience, token))
		receiver := called{
			built(t, row, source.Config{Keys: jwks.NewCache(issuer.Client(), time.Now)}),
			sourcetest.Secret(source.TokenKey, sourcetest.Token, "email", exampleEmail, "audience", exampleAudience),
		}
		status := receiver.run(t, exampleOf(t, row, callExtension), path, "EMAIL="+exampleEmail, "AUDIENCE="+exampleAudience)
		if status != want {
			t.Errorf("%s: status %d, want %d", email, status, want)
		}
	}
}

// TestExampleOfSNS has another aws than Amazon's, which has the messages signed and sends them.
func TestExampleOfSNS(t *testing.T) {
	service := snstest.New(t, time.Now())
	row := rowOf(t, "sns")
	var signed []string
	messages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = append(signed, r.FormValue("type"))
		_, _ = w.Write(snsMessage(t, service, r.FormValue("type"), r.FormValue("message")))
	}))
	defer messages.Close()
	path := program(t, "aws", `case "$*" in
"sns subscribe --topic-arn `+exampleTopic+` --protocol https --notification-endpoint $URL") args=(-d type=SubscriptionConfirmation) ;;
"sns publish --topic-arn `+exampleTopic+` --message "*) args=(-d type=Notification --data-urlencode "message=$6") ;;
*) exit 2 ;;
esac
curl --silent --fail `+messages.URL+` "${args[@]}" | curl --silent "$URL" -H 'Content-Type: text/plain' --data-binary @-`)
	for topic, want := range map[string]int{exampleTopic: http.StatusAccepted, exampleTopic + "2": http.StatusUnauthorized} {
		signed = nil
		receiver := called{built(t, row, source.Config{Client: service.Client()}), sourcetest.Secret(source.TokenKey, sourcetest.Token, "topicARN", topic)}
		if status := receiver.run(t, exampleOf(t, row, callExtension), path, "TOPIC="+exampleTopic); status != want || len(signed) != 2 {
			t.Errorf("%s: status %d after %q, want %d", topic, status, signed, want)
		}
	}
}

// snsMessage is a message of the topic of the README.
func snsMessage(t *testing.T, service *snstest.Service, kind, message string) []byte {
	const subscribe = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription"
	now := time.Now().UTC().Format(time.RFC3339)
	fields := map[string]string{"Type": kind, "MessageId": "1", "TopicArn": exampleTopic, "Message": message, "Timestamp": now, "SignatureVersion": "2"}
	address := ""
	if kind == "SubscriptionConfirmation" {
		fields["SubscribeURL"], fields["Token"] = subscribe, "x"
		address = "SubscribeURL\n" + subscribe + "\n"
		now += "\nToken\nx"
	}
	return service.Sign(t, fields, "Message\n"+message+"\nMessageId\n1\n"+address+"Timestamp\n"+now+"\nTopicArn\n"+exampleTopic+"\nType\n"+kind+"\n")
}

func rowOf(t *testing.T, name string) source.Type {
	t.Helper()
	row, ok := registry.New().Lookup(name)
	if !ok {
		t.Fatalf("there is no type %q", name)
	}
	return row
}

func built(t *testing.T, row source.Type, config source.Config) source.Verifier {
	t.Helper()
	verifier, err := row.Build(config)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// program writes a program in bash and returns a PATH where it comes first.
func program(t *testing.T, name, script string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/usr/bin/env bash\nset -euo pipefail\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH")
}

// called is a Receiver that scripts call.
type called struct {
	verifier source.Verifier
	secret   map[string][]byte
}

// run runs a script that finds the Receiver's address in URL, and returns what the last call has been answered.
func (c called) run(t *testing.T, script string, env ...string) int {
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
		status = c.answer(t, &source.Request{Header: r.Header, Body: body})
		w.WriteHeader(status)
	}))
	defer server.Close()
	command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-s")
	command.Stdin = strings.NewReader(script)
	command.Env = append(command.Environ(), append(env, "URL="+server.URL, "NO_PROXY=*")...)
	out, err := command.CombinedOutput()
	server.Close()
	if status == 0 || err != nil {
		t.Fatalf("%v, status %d:\n%s", err, status, out)
	}
	return status
}

// answer is the status that the controller gives to a call.
func (c called) answer(t *testing.T, r *source.Request) int {
	result, err := c.verifier.Verify(t.Context(), r, c.secret)
	switch {
	case err == nil && result.Ignore != "":
		return http.StatusOK
	case err == nil:
		return http.StatusAccepted
	case source.IsUnauthenticated(err):
		return http.StatusUnauthorized
	default:
		t.Log(err)
		return http.StatusBadRequest
	}
}
