package sns_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/sns"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
)

// topic is that of the examples in AWS' documentation, as are most of the values below.
const topic = "arn:aws:sns:us-west-2:123456789012:MyTopic"

// published is when messages are, and when virtual time begins.
func published() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// notification is the example of https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html, and what of it is
// signed.
func notification() (map[string]string, string) {
	return map[string]string{
			"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": topic, "Subject": "My First Message",
			"Message": "Hello world!", "Timestamp": "2000-01-01T00:00:00.000Z", "SignatureVersion": "1",
			"UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
		}, "Message\nHello world!\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nMy First Message\n" +
			"Timestamp\n2000-01-01T00:00:00.000Z\nTopicArn\n" + topic + "\nType\nNotification\n"
}

const subscribeURL = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=2336412f37"

// subscription is the example of https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html.
func subscription(kind, address string) (map[string]string, string) {
	return map[string]string{
			"Type": kind, "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Token": "2336412f37", "TopicArn": topic,
			"Message": "You have chosen to subscribe", "SubscribeURL": address, "Timestamp": "2000-01-01T00:00:00Z", "SignatureVersion": "2",
		}, "Message\nYou have chosen to subscribe\nMessageId\n165545c9-2a5c-472c-8df2-7ff2be2b3b1b\nSubscribeURL\n" + address +
			"\nTimestamp\n2000-01-01T00:00:00Z\nToken\n2336412f37\nTopicArn\n" + topic + "\nType\n" + kind + "\n"
}

func newVerifier(t testing.TB, service *snstest.Service, now func() time.Time) source.Verifier {
	t.Helper()
	verifier, err := sns.Type(now).Build(source.Config{Client: service.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// ofTopic is a Secret for a topic.
func ofTopic(arn string) map[string][]byte { return map[string][]byte{sns.TopicKey: []byte(arn)} }

// outcome is "", "refused", "bad payload" or "unavailable". Without data, the Secret is for the topic of the examples.
func outcome(t *testing.T, verifier source.Verifier, body []byte, data map[string][]byte) (string, source.Result, error) {
	t.Helper()
	if data == nil {
		data = ofTopic(topic)
	}
	result, err := verifier.Verify(t.Context(), &source.Request{Header: http.Header{}, Body: body}, data)
	var unavailable *source.UnavailableError
	var bad *source.PayloadError
	switch {
	case err == nil:
		return "", result, nil
	case source.IsUnauthenticated(err):
		return "refused", result, err
	case errors.As(err, &unavailable):
		return "unavailable", result, err
	case errors.As(err, &bad):
		return "bad payload", result, err
	default:
		t.Fatalf("unexpected error: %v", err)
		return "", result, err
	}
}

func TestNotification(t *testing.T) {
	service := snstest.New(t, published())
	verifier := newVerifier(t, service, published)
	for _, version := range []string{"1", "2"} {
		message, text := notification()
		message["SignatureVersion"] = version
		got, result, err := outcome(t, verifier, service.Sign(t, message, text), nil)
		want := `{"Message":"Hello world!","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324","Subject":"My First Message",` +
			`"Timestamp":"2000-01-01T00:00:00.000Z","TopicArn":"` + topic + `","Type":"Notification"}`
		if got != "" || string(result.Payload) != want || result.DeliveryID != message["MessageId"] || result.Ignore != "" {
			t.Errorf("version %s: got %q, %+v %s, %v", version, got, result, result.Payload, err)
		}
	}
	if asked := service.Requests(); !slices.Equal(asked, []string{snstest.CertificateURL}) {
		t.Errorf("asked for %q", asked)
	}
}

// TestPayload has the messages of other services decoded, and nothing that is not signed.
func TestPayload(t *testing.T) {
	service := snstest.New(t, published())
	verifier := newVerifier(t, service, published)
	for message, want := range map[string]string{
		`{"detail":{"repository-name":"shop","n":1}}`: `{"detail":{"repository-name":"shop","n":1}}`,
		`[1]`:        `"[1]"`,
		`null`:       `"null"`,
		`{"a":1`:     `"{\"a\":1"`,
		``:           `""`,
		"two\nlines": `"two\nlines"`,
	} {
		fields, text := notification()
		delete(fields, "Subject")
		fields["Message"], fields["More"] = message, "planted"
		text = strings.Replace(strings.Replace(text, "Hello world!", message, 1), "Subject\nMy First Message\n", "", 1)
		got, result, err := outcome(t, verifier, service.Sign(t, fields, text), nil)
		if got != "" || !strings.HasPrefix(string(result.Payload), `{"Message":`+want+`,"MessageId":`) || strings.Contains(string(result.Payload), "planted") {
			t.Errorf("%q: got %q, %s, %v", message, got, result.Payload, err)
		}
	}
}

func TestRefused(t *testing.T) {
	service, stranger := snstest.New(t, published()), snstest.New(t, published())
	for _, test := range []struct {
		name  string
		alter func(message map[string]string)
		// signed is what the alteration makes of the text that is signed, if it is signed again.
		signed func(text string) string
	}{
		{"message", func(m map[string]string) { m["Message"] = "Hello planted!" }, nil},
		{"id", func(m map[string]string) { m["MessageId"] = "x" }, nil},
		{"subject", func(m map[string]string) { m["Subject"] = "x" }, nil},
		{"no subject", func(m map[string]string) { delete(m, "Subject") }, nil},
		{"time", func(m map[string]string) { m["Timestamp"] = "2000-01-01T00:00:01.000Z" }, nil},
		{"topic", func(m map[string]string) { m["TopicArn"] = topic + "2" }, nil},
		{"type", func(m map[string]string) { m["Type"] = "SubscriptionConfirmation" }, nil},
		{"no signature", func(m map[string]string) { delete(m, "Signature") }, nil},
		{"signature that is no base64", func(m map[string]string) { m["Signature"] = "planted!" }, nil},
		{"another version of signature", func(m map[string]string) { m["SignatureVersion"] = "2" }, nil},
		{"unknown version of signature", func(m map[string]string) { m["SignatureVersion"] = "3" }, nil},
		{"no version of signature", func(m map[string]string) { delete(m, "SignatureVersion") }, nil},
		{"unknown type", func(m map[string]string) { m["Type"] = "Planted" }, func(text string) string {
			return strings.Replace(text, "Type\nNotification", "Type\nPlanted", 1)
		}},
		{"time that is none", func(m map[string]string) { m["Timestamp"] = "planted" }, func(text string) string {
			return strings.Replace(text, "2000-01-01T00:00:00.000Z", "planted", 1)
		}},
		{"topic that is none", func(m map[string]string) { m["TopicArn"] = "planted" }, func(text string) string {
			return strings.Replace(text, topic, "planted", 1)
		}},
		{"topic of another service", func(m map[string]string) { m["TopicArn"] = "arn:aws:sqs:us-west-2:1:MyQueue" }, func(text string) string {
			return strings.Replace(text, topic, "arn:aws:sqs:us-west-2:1:MyQueue", 1)
		}},
		{"topic of another region", func(m map[string]string) { m["TopicArn"] = "arn:aws:sns:us-east-1:1:MyTopic" }, func(text string) string {
			return strings.Replace(text, topic, "arn:aws:sns:us-east-1:1:MyTopic", 1)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			message, text := notification()
			var body []byte
			if test.signed != nil {
				test.alter(message)
				body = service.Sign(t, message, test.signed(text))
			} else {
				service.Sign(t, message, text)
				test.alter(message)
				body = encode(t, message)
			}
			got, result, err := outcome(t, newVerifier(t, service, published), body, ofTopic(message["TopicArn"]))
			if got != "refused" || result.Payload != nil || strings.Contains(err.Error(), "lanted") {
				t.Errorf("got %q, %+v, %v", got, result, err)
			}
		})
	}
	message, text := notification()
	forged := stranger.Sign(t, message, text)
	for name, body := range map[string][]byte{
		"signed by another": forged, "empty": nil, "no JSON": []byte("planted"), "no object": []byte("[]"), "raw delivery": []byte(`{"image":"shop"}`),
	} {
		if got, _, err := outcome(t, newVerifier(t, service, published), body, nil); got != "refused" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestFieldsThatAreThereTwice has one of them signed: what is seen is always what is signed.
func TestFieldsThatAreThereTwice(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	body := string(service.Sign(t, message, text))
	for _, twice := range []string{
		strings.Replace(body, "{", `{"Message":"planted",`, 1), strings.Replace(body, "{", `{"message":"planted",`, 1),
		strings.TrimSuffix(body, "}") + `,"Message":"planted"}`, strings.TrimSuffix(body, "}") + `,"message":"planted"}`,
	} {
		if _, result, _ := outcome(t, newVerifier(t, service, published), []byte(twice), nil); strings.Contains(string(result.Payload), "planted") {
			t.Errorf("%s: got %s", twice, result.Payload)
		}
	}
}

// TestFieldsThatRunIntoOneAnother moves the ends of fields, which leaves the text that is signed as it is: a repetition
// would get another id, and filters would see other fields.
func TestFieldsThatRunIntoOneAnother(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	message["Message"] = "a\nMessageId\nb"
	service.Sign(t, message, strings.Replace(text, "Hello world!", message["Message"], 1))
	rest := message["MessageId"] + "\nSubject\n" + message["Subject"]
	for name, alter := range map[string]func(m map[string]string){
		"subject in the id": func(m map[string]string) { delete(m, "Subject"); m["MessageId"] = rest },
		"message in the id": func(m map[string]string) { m["Message"], m["MessageId"] = "a", "b\nMessageId\n"+m["MessageId"] },
	} {
		altered := maps.Clone(message)
		alter(altered)
		if got, _, err := outcome(t, newVerifier(t, service, published), encode(t, altered), nil); got != "refused" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if got, _, err := outcome(t, newVerifier(t, service, published), encode(t, message), nil); got != "" {
		t.Errorf("as it was signed: got %q, %v", got, err)
	}
}

// TestCertificateURLs has addresses that are not SNS' be refused without being asked.
func TestCertificateURLs(t *testing.T) {
	const pem = "/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
	for address, ok := range map[string]bool{
		"https://sns.us-west-2.amazonaws.com" + pem:                 true,
		"https://sns.us-west-2.amazonaws.com.cn" + pem:              true,
		"http://sns.us-west-2.amazonaws.com" + pem:                  false,
		"https://sns.us-west-2.amazonaws.com:8443" + pem:            false,
		"https://user@sns.us-west-2.amazonaws.com" + pem:            false,
		"https://sns.us-west-2.amazonaws.com.example.com" + pem:     false,
		"https://sns.us-west-2.amazonaws.com@example.com" + pem:     false,
		"https://sns.us-west-2.amazonaws.org" + pem:                 false,
		"https://evil-sns.us-west-2.amazonaws.com" + pem:            false,
		"https://sns.s3-us-west-2.amazonaws.com" + pem:              false,
		"https://sns.us-east-1.amazonaws.com" + pem:                 false,
		"https://sns.amazonaws.com" + pem:                           false,
		"https://example.com/#sns.us-west-2.amazonaws.com" + pem:    false,
		"https://sns.us-west-2.amazonaws.com/?Action=Publish" + pem: false,
		"https://sns.us-west-2.amazonaws.com" + pem + "?x=1":        false,
		"https://sns.us-west-2.amazonaws.com" + pem + "#x":          false,
		"https://sns.us-west-2.amazonaws.com/bucket" + pem:          false,
		"https://sns.us-west-2.amazonaws.com/%2e%2e" + pem:          false,
		"https://sns.us-west-2.amazonaws.com/other.pem":             false,
		"//sns.us-west-2.amazonaws.com" + pem:                       false,
		"://planted":                                                false,
	} {
		service := snstest.New(t, published())
		message, text := notification()
		message["SigningCertURL"] = address
		got, _, err := outcome(t, newVerifier(t, service, published), service.Sign(t, message, text), nil)
		if asked := service.Requests(); (got == "") != ok || (len(asked) > 0) != ok {
			t.Errorf("%s: got %q, %v, and asked for %q", address, got, err, asked)
		}
	}
}

func TestRegions(t *testing.T) {
	for region, ok := range map[string]bool{
		"eu-central-1": true, "us-gov-west-1": true, "ap-southeast-10": true, "s3-us-west-2": false, "s3": false, "": false, "US-west-2": false,
		"us-west-2.example.com/": false, "us-west-2\n": false,
	} {
		service := snstest.New(t, published())
		message, text := notification()
		arn := "arn:aws:sns:" + region + ":123456789012:MyTopic"
		message["TopicArn"], message["SigningCertURL"] = arn, strings.Replace(snstest.CertificateURL, "us-west-2", region, 1)
		got, _, err := outcome(t, newVerifier(t, service, published), service.Sign(t, message, strings.Replace(text, topic, arn, 1)), ofTopic(arn))
		if (got == "") != ok || (len(service.Requests()) > 0) != ok {
			t.Errorf("%q: got %q, %v", region, got, err)
		}
	}
}

func TestTopicInSecret(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	body := service.Sign(t, message, text)
	for arn, want := range map[string]string{topic: "", topic + "2": "refused", topic[:len(topic)-1]: "refused", "": "unavailable"} {
		verifier := newVerifier(t, service, published)
		if got, _, err := outcome(t, verifier, body, ofTopic(arn)); got != want {
			t.Errorf("%q: got %q, %v", arn, got, err)
		}
	}
}

func TestTimes(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	body := service.Sign(t, message, text)
	for after, want := range map[time.Duration]string{
		0: "", -5 * time.Minute: "", -5*time.Minute - time.Second: "refused", 65 * time.Minute: "", 65*time.Minute + time.Second: "refused",
	} {
		now := func() time.Time { return published().Add(after) }
		if got, _, err := outcome(t, newVerifier(t, service, now), body, nil); got != want {
			t.Errorf("after %s: got %q, %v", after, got, err)
		}
	}
}

// TestValidUntil has a message be authentic as long as it says.
func TestValidUntil(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	body := service.Sign(t, message, text)
	_, result, err := outcome(t, newVerifier(t, service, published), body, nil)
	if err != nil {
		t.Fatal(err)
	}
	for before, want := range map[time.Duration]string{1: "", 0: "refused"} {
		now := func() time.Time { return result.ValidUntil.Add(-before) }
		if got, _, err := outcome(t, newVerifier(t, service, now), body, nil); got != want {
			t.Errorf("%s before: got %q, %v", before, got, err)
		}
	}
}

func TestCertificatesThatAreOutOfDate(t *testing.T) {
	for _, year := range []int{1999, 2001} {
		service := snstest.New(t, published().AddDate(year-2000, 0, 0))
		message, text := notification()
		if got, _, err := outcome(t, newVerifier(t, service, published), service.Sign(t, message, text), nil); got != "refused" {
			t.Errorf("of %d: got %q, %v", year, got, err)
		}
	}
}

func TestCertificatesThatCannotBeHad(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	body := service.Sign(t, message, text)
	for name, answer := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"garbage":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("planted")) },
		"other PEM": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("-----BEGIN X-----\nAA==\n-----END X-----\n"))
		},
		"bad": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"))
		},
		"huge": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 65<<10)) },
		"moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://planted.example.com/", http.StatusFound)
		},
	} {
		service.Answer(answer)
		service.Requests()
		got, _, err := outcome(t, newVerifier(t, service, published), body, nil)
		if got != "unavailable" || strings.Contains(err.Error(), "planted") || len(service.Requests()) != 1 {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestAForgersFloodIsBounded has somebody who knows the path name ever new certificates.
func TestAForgersFloodIsBounded(t *testing.T) {
	service := snstest.New(t, published())
	message, text := notification()
	real := service.Sign(t, maps.Clone(message), text)
	synctest.Test(t, func(t *testing.T) {
		verifier := newVerifier(t, service, time.Now)
		if got, _, err := outcome(t, verifier, real, nil); got != "" {
			t.Fatalf("got %q, %v", got, err)
		}
		service.Answer(http.NotFound)
		for i := range 600 { // A minute.
			forged := maps.Clone(message)
			forged["SigningCertURL"] = strings.Replace(snstest.CertificateURL, "f3ecfb", strings.Repeat("a", i+1), 1)
			if got, _, err := outcome(t, verifier, service.Sign(t, forged, text), nil); got != "unavailable" {
				t.Fatalf("got %q, %v", got, err)
			}
			if got, _, err := outcome(t, verifier, real, nil); got != "" {
				t.Fatalf("a real one among them: got %q, %v", got, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := len(service.Requests()); got > 3+6 {
			t.Errorf("%d requests in a minute", got)
		}
	})
}

func TestSubscription(t *testing.T) {
	service := snstest.New(t, published())
	message, text := subscription("SubscriptionConfirmation", subscribeURL)
	got, result, err := outcome(t, newVerifier(t, service, published), service.Sign(t, message, text), nil)
	if got != "" || result.Ignore == "" || result.DeliveryID != "" {
		t.Errorf("got %q, %+v, %v", got, result, err)
	}
	if asked := service.Requests(); !slices.Equal(asked, []string{snstest.CertificateURL, subscribeURL}) {
		t.Errorf("asked for %q", asked)
	}

	message, text = subscription("UnsubscribeConfirmation", subscribeURL)
	got, result, err = outcome(t, newVerifier(t, service, published), service.Sign(t, message, text), nil)
	if asked := service.Requests(); got != "" || result.Ignore == "" || !slices.Equal(asked, []string{snstest.CertificateURL}) {
		t.Errorf("unsubscription: got %q, %+v, %v, and asked for %q", got, result, err, asked)
	}
}

// TestSubscriptionsThatAreNotConfirmed are forged, of another topic, or would lead somewhere else.
func TestSubscriptionsThatAreNotConfirmed(t *testing.T) {
	service := snstest.New(t, published())
	other := ofTopic(topic + "2")
	for _, test := range []struct {
		name, address string
		forged        bool
		data          map[string][]byte
		want          string
	}{
		{"forged", subscribeURL, true, nil, "refused"},
		{"another topic", subscribeURL, false, other, "refused"},
		{"another host", "https://example.com/?Action=ConfirmSubscription", false, nil, "bad payload"},
		{"another region", strings.Replace(subscribeURL, "us-west-2", "us-east-1", 1), false, nil, "bad payload"},
		{"no TLS", strings.Replace(subscribeURL, "https", "http", 1), false, nil, "bad payload"},
		{"none", "", false, nil, "bad payload"},
	} {
		message, text := subscription("SubscriptionConfirmation", test.address)
		if test.forged {
			text += "x"
		}
		got, result, err := outcome(t, newVerifier(t, service, published), service.Sign(t, message, text), test.data)
		asked := slices.DeleteFunc(service.Requests(), func(url string) bool { return url == snstest.CertificateURL })
		if got != test.want || len(asked) > 0 {
			t.Errorf("%s: got %q, %+v, %v, and asked for %q", test.name, got, result, err, asked)
		}
	}
}

// TestConfirmationsThatFail are for SNS to repeat.
func TestConfirmationsThatFail(t *testing.T) {
	service := snstest.New(t, published())
	message, text := subscription("SubscriptionConfirmation", subscribeURL)
	body := service.Sign(t, message, text)
	synctest.Test(t, func(t *testing.T) {
		verifier := newVerifier(t, service, time.Now)
		first, firstText := notification()
		if got, _, err := outcome(t, verifier, service.Sign(t, first, firstText), nil); got != "" {
			t.Fatalf("got %q, %v", got, err)
		}
		for name, answer := range map[string]http.HandlerFunc{
			"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
			"moved": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://example.com/", http.StatusFound)
			},
			"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		} {
			service.Answer(answer)
			start := time.Now()
			if got, _, err := outcome(t, verifier, body, nil); got != "unavailable" || time.Since(start) > 5*time.Second {
				t.Errorf("%s: got %q, %v after %s", name, got, err, time.Since(start))
			}
		}
		service.Answer(nil)
		if got, result, err := outcome(t, verifier, body, nil); got != "" || result.Ignore == "" {
			t.Errorf("repeated: got %q, %+v, %v", got, result, err)
		}
	})
}
