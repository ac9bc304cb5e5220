package hook

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/server"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
)

// oidcPath is that of the Receiver in spec/receivers.md §6.
const oidcPath = "/hook/0102a6d7590eb8ea786ad2a3b99b0136a41c98dc4e475b6407f11d41b5c2bd9d"

// oidcReceiver is that Receiver, with an issuer of the test's.
func oidcReceiver(issuer *oidctest.Issuer, edits ...func(*v1.Receiver)) *v1.Receiver {
	return receiver(append([]func(*v1.Receiver){func(r *v1.Receiver) {
		r.Name, r.UID, r.Status.WebhookPath = "oidc-recv", "oidc-recv", oidcPath
		r.Spec.Type, r.Spec.SecretRef = v1.GenericOIDCReceiver, nil
		r.Spec.OIDCProviders = []v1.OIDCProvider{{
			IssuerURL: issuer.URL,
			Variables: []v1.OIDCVariable{{Name: "repo", Expression: "claims.repository"}},
			Validations: []v1.OIDCValidation{
				{Expression: "vars.repo == 'acme/shop'", Message: "repository not allowed"},
				{Expression: "claims.ref.startsWith('refs/tags/')", Message: "only tags may deploy"},
			},
		}}
	}}, edits...)...)
}

func newOIDCFixture(t *testing.T, receivers ...*v1.Receiver) *fixture {
	f := newFixture(t, receivers...)
	client := httpx.NewClient(httpx.Options{})
	f.Verifiers = source.Config{Keys: jwks.NewCache(client, time.Now), Client: client}
	return f
}

// deploy is the call there, with claims in pairs.
func deploy(t *testing.T, issuer *oidctest.Issuer, pairs ...string) *http.Request {
	claims := map[string]any{
		"iss": issuer.URL, "aud": "notification-controller", "exp": time.Now().Add(time.Minute).Unix(), "sub": "planted-subject",
		"repository": "acme/shop", "ref": "refs/tags/v1",
	}
	for i := 0; i < len(pairs); i += 2 {
		claims[pairs[i]] = pairs[i+1]
	}
	request := post(oidcPath, genericBody)
	request.Header.Set("Authorization", "Bearer "+issuer.Token(t, claims))
	return request
}

func TestOIDC(t *testing.T) {
	issuer := oidctest.Serve(t)
	filter := func(expression string) func(*v1.Receiver) {
		return func(r *v1.Receiver) { r.Spec.ResourceFilter = expression }
	}
	for _, test := range []struct {
		name    string
		edit    func(*v1.Receiver)
		request *http.Request
		status  int
		text    string
		queued  []string
	}{
		{"accepted", func(*v1.Receiver) {}, deploy(t, issuer), 202, "accepted", []string{"shop"}},
		{"filters see claims", filter("claims.repository == 'acme/' + res.metadata.name && req.image != ''"), deploy(t, issuer), 202, "accepted", []string{"shop"}},
		{"filters that are false of claims", filter("claims.ref == 'x'"), deploy(t, issuer), 200, "nothing to reconcile: no object matches", nil},
		{"validation", func(*v1.Receiver) {}, deploy(t, issuer, "repository", "planted"), 401, "repository not allowed", nil},
		{"validations", func(*v1.Receiver) {}, deploy(t, issuer, "repository", "planted", "ref", "planted"), 401, "repository not allowed; only tags may deploy", nil},
		{"another audience", func(*v1.Receiver) {}, deploy(t, issuer, "aud", "planted"), 401, "not authentic", nil},
		{"no token", func(*v1.Receiver) {}, post(oidcPath, genericBody), 401, "not authentic", nil},
		{"broken spec", func(r *v1.Receiver) { r.Spec.OIDCProviders[0].Validations[0].Expression = "nope" }, deploy(t, issuer), 500, "the spec of the Receiver is broken", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newOIDCFixture(t, oidcReceiver(issuer, test.edit))
			if got := f.do(test.request); got.status != test.status || got.text != test.text || !slices.Equal(f.queue.names(), test.queued) {
				t.Errorf("got %d %q and handed %q over", got.status, got.text, f.queue.names())
			}
		})
	}
}

// TestBodiesOfStrangersAreNotRead is about a path that anybody can work out.
func TestBodiesOfStrangersAreNotRead(t *testing.T) {
	issuer := oidctest.Serve(t)
	f := newOIDCFixture(t, oidcReceiver(issuer))
	body := &countingReader{}
	stranger := deploy(t, issuer, "aud", "another")
	withBody(body, -1)(stranger)
	if got := f.do(stranger); got.status != http.StatusUnauthorized || body.calls > 0 {
		t.Errorf("got %d %q and read %d times", got.status, got.text, body.calls)
	}
	for _, test := range []struct {
		body   io.Reader
		status int
	}{
		{brokenReader{}, http.StatusBadRequest},
		{strings.NewReader(strings.Repeat("x", server.MaxBody+1)), http.StatusRequestEntityTooLarge},
	} {
		request := deploy(t, issuer)
		withBody(test.body, -1)(request)
		if got := f.do(request); got.status != test.status || f.queue.names() != nil {
			t.Errorf("got %d %q, want %d", got.status, got.text, test.status)
		}
	}
}

func TestCallersAreAskedToWaitForAnIssuer(t *testing.T) {
	issuer := oidctest.Serve(t)
	issuer.Answer(http.NotFound)
	f := newOIDCFixture(t, oidcReceiver(issuer))
	got := f.do(deploy(t, issuer))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !slices.Equal(f.observer.webhooks, []string{"generic-oidc not_ready"}) {
		t.Errorf("got %d %q %v, %q", got.status, got.text, got.header, f.observer.webhooks)
	}
}

// TestVerifiersAreBuiltOncePerEdit has the rules of an edit take effect at once, and the keys outlive it.
func TestVerifiersAreBuiltOncePerEdit(t *testing.T) {
	issuer := oidctest.Serve(t)
	f := newOIDCFixture(t, oidcReceiver(issuer))
	row, _ := f.Types(v1.GenericOIDCReceiver)
	built := 0
	f.Types = func(string) (source.Type, bool) {
		counted := row
		counted.New = func(c source.Config) (source.Verifier, error) {
			built++
			return row.New(c)
		}
		return counted, true
	}
	for range 3 {
		if got := f.do(deploy(t, issuer)); got.status != http.StatusAccepted {
			t.Fatalf("got %d %q", got.status, got.text)
		}
	}
	edited := oidcReceiver(issuer, func(r *v1.Receiver) { r.Generation = 2; r.Spec.OIDCProviders[0].Validations[0].Expression = "false" })
	if err := f.receivers.Update(edited); err != nil {
		t.Fatal(err)
	}
	if got := f.do(deploy(t, issuer)); got.status != http.StatusUnauthorized {
		t.Errorf("got %d %q after the edit", got.status, got.text)
	}
	if asked := issuer.Requests(); built != 2 || len(asked) != 2 {
		t.Errorf("built %d verifiers and asked for %q", built, asked)
	}
	f.Drop(edited.UID)
	if f.verifiers.Len() != 0 {
		t.Error("kept after Drop")
	}
}

// TestNothingOfATokenIsSaid reads all logs and answers to refused tokens.
func TestNothingOfATokenIsSaid(t *testing.T) {
	issuer := oidctest.Serve(t)
	var said strings.Builder
	logger := funcr.New(func(prefix, args string) { fmt.Fprintln(&said, prefix, args) }, funcr.Options{Verbosity: 10})
	f := newOIDCFixture(t, oidcReceiver(issuer, func(r *v1.Receiver) {
		r.Spec.ResourceFilter = "timestamp(claims.sub) > timestamp('2020-01-01T00:00:00Z')"
	}))
	f.Log = logger
	requests := []*http.Request{
		deploy(t, issuer), deploy(t, issuer, "aud", "planted"), deploy(t, issuer, "iss", "https://planted"), deploy(t, issuer, "exp", "planted"),
		deploy(t, issuer, "repository", "planted"),
	}
	for _, request := range requests {
		got := f.do(request)
		fmt.Fprintln(&said, got.status, got.text, got.header)
	}
	fmt.Fprintln(&said, f.warnings(), f.observer.webhooks)
	if strings.Count(said.String(), "\n") < 2*len(requests) {
		t.Fatalf("nothing was logged: %s", said.String())
	}
	for _, request := range requests {
		for _, part := range strings.Split(strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "), ".") {
			if strings.Contains(said.String(), part) {
				t.Error("a part of a token is said")
			}
		}
	}
	if strings.Contains(said.String(), "planted") {
		t.Errorf("a claim is said: %s", said.String())
	}
}

// TestStrangersDoNotFillTheLog has callers without a token of a path that anybody can work out, and one whose Receiver's
// owner has to know of him.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	issuer := oidctest.Serve(t)
	const usual = 2
	for name, test := range map[string]struct {
		fixture *fixture
		request *http.Request
		logged  bool
	}{
		"generic-oidc": {newOIDCFixture(t, oidcReceiver(issuer)), deploy(t, issuer, "aud", "another"), false},
		"github":       {newFixture(t, receiver()), push(withHeader("X-Hub-Signature-256", "sha256=00")), true},
	} {
		var said strings.Builder
		test.fixture.Log = funcr.New(func(prefix, args string) { fmt.Fprintln(&said, prefix, args) }, funcr.Options{Verbosity: usual})
		if got := test.fixture.do(test.request); got.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d %q", name, got.status, got.text)
		}
		if logged := said.Len() > 0; logged != test.logged {
			t.Errorf("%s: logged %t, want %t: %s", name, logged, test.logged, said.String())
		}
	}
}

// TestSNS has a subscription confirmed, and filters see a notification although SNS calls it text.
func TestSNS(t *testing.T) {
	service := snstest.New(t, time.Now())
	r := receiver(func(r *v1.Receiver) {
		r.Spec.Type = "sns"
		r.Spec.ResourceFilter = "req.Message.image.contains('/' + res.metadata.name + ':')"
		r.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue}}
	})
	f := newFixture(t, r)
	f.Verifiers = source.Config{Client: service.Client()}
	const topic, image = "arn:aws:sns:us-west-2:123456789012:MyTopic", `{"image":"registry.example.com/shop:1.2.3"}`
	f.secrets[theNamespace+"/"+theSecret]["topicARN"] = []byte(topic)
	now := time.Now().UTC().Format(time.RFC3339)
	do := func(message map[string]string, text string) answer {
		request := httptest.NewRequest(http.MethodPost, githubPath, strings.NewReader(string(service.Sign(t, message, text))))
		request.Header.Set("Content-Type", "text/plain; charset=UTF-8")
		return f.do(request)
	}

	const subscribe = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription"
	got := do(map[string]string{"Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "t", "TopicArn": topic, "Message": "m", "SubscribeURL": subscribe, "Timestamp": now, "SignatureVersion": "2"},
		"Message\nm\nMessageId\n1\nSubscribeURL\n"+subscribe+"\nTimestamp\n"+now+"\nToken\nt\nTopicArn\n"+topic+"\nType\nSubscriptionConfirmation\n")
	if got.status != http.StatusOK || got.text != "ignored: the subscription is confirmed" || !slices.Contains(service.Requests(), subscribe) || f.queue.names() != nil {
		t.Errorf("got %d %q and handed %q over", got.status, got.text, f.queue.names())
	}
	for _, want := range []int{http.StatusAccepted, http.StatusOK} { // The second is a repetition.
		got = do(map[string]string{"Type": "Notification", "MessageId": "2", "TopicArn": topic, "Message": image, "Timestamp": now, "SignatureVersion": "2"},
			"Message\n"+image+"\nMessageId\n2\nTimestamp\n"+now+"\nTopicArn\n"+topic+"\nType\nNotification\n")
		if got.status != want || !slices.Equal(f.queue.names(), []string{"shop"}) {
			t.Errorf("got %d %q and handed %q over", got.status, got.text, f.queue.names())
		}
	}
}
