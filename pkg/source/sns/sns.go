// Package sns is the Receiver type "sns": notifications of Amazon SNS to an HTTPS endpoint, and the confirmation of the
// subscription, which is given by itself.
//
// Messages: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html. Signatures:
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. With raw message delivery there is no
// signature, so that such calls are refused.
package sns

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/source"
)

const (
	// TopicKey is the key of the Secret for the topic that may call. SNS signs for everybody's topics alike, so that
	// without it, whoever knows the webhook path could call by way of a topic of his own.
	TopicKey = "topicARN"

	// repeatedFor is the longest that SNS repeats a message, with the time of the first.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
	repeatedFor = time.Hour
	// clockSkew is how far clocks may be apart.
	clockSkew = 5 * time.Minute
	// confirmLimit is how long a confirmation may take. SNS waits 15 seconds for an answer.
	confirmLimit = 5 * time.Second
	// maxAnswer is more than what a confirmation is answered with.
	maxAnswer = 64 << 10
)

// Type is the row of the table for this type. The clock tells which messages are out of date.
func Type(now func() time.Time) source.Type {
	return source.Type{
		Name: "sns",
		New: func(c source.Config) (source.Verifier, error) {
			client := httpx.WithoutRedirects(c.Client)
			return &verifier{certificates: newCertificates(client, now), client: client, now: now}, nil
		},
		Title: "Amazon SNS",
		Check: "SHA1 or SHA256 signature of the message with a certificate of SNS, its time and the Secret's topicARN; filters " +
			"see the signed fields, with Message decoded if it is a JSON object",
		Keys:         []string{TopicKey},
		RequiredKeys: []string{TopicKey},
		CheckSecret:  checkSecret,
	}
}

func checkSecret(secret map[string][]byte) error {
	topic := string(secret[TopicKey])
	if _, err := regionOf(topic); err != nil || strings.ContainsAny(topic, " \r\n") {
		return errors.New(TopicKey + ": it has to be like arn:aws:sns:us-west-2:123456789012:MyTopic, without a line break")
	}
	return nil
}

type verifier struct {
	certificates *certificates
	client       *http.Client
	now          func() time.Time
}

// Verify implements [source.Verifier].
func (v *verifier) Verify(ctx context.Context, r *source.Request, secret map[string][]byte) (source.Result, error) {
	if len(secret[TopicKey]) == 0 {
		return source.Result{}, source.Unavailable("the key %q of the Secret in spec.secretRef is missing or empty", TopicKey)
	}
	m, err := decode(r.Body)
	if err != nil {
		return source.Result{}, err
	}
	if err := v.authenticate(ctx, m, secret[TopicKey]); err != nil {
		return source.Result{}, err
	}
	switch m.Type {
	case typeNotification:
		payload, err := m.payload()
		// It is good at the last moment too.
		until := m.at.Add(repeatedFor + clockSkew + time.Nanosecond)
		// SNS calls it text/plain unless it is told otherwise.
		return source.Result{DeliveryID: m.MessageID, ValidUntil: until, Payload: payload, PayloadIsJSON: true}, err
	case typeSubscription:
		return source.Result{Payload: r.Body, Ignore: "the subscription is confirmed"}, v.confirm(ctx, m)
	default:
		return source.Result{Payload: r.Body, Ignore: "the subscription has ended"}, nil
	}
}

// authenticate checks what costs nothing before a certificate is asked for.
func (v *verifier) authenticate(ctx context.Context, m *message, topic []byte) error {
	if !source.EqualSecret(m.TopicARN, topic) {
		return source.Unauthenticated("the message is not of the topic in the Secret")
	}
	age := v.now().Sub(m.at)
	if age > repeatedFor+clockSkew || age < -clockSkew {
		return source.Unauthenticated("the message is too old, or of the future")
	}
	region, err := regionOf(m.TopicARN)
	if err != nil {
		return err
	}
	if !isCertificateURL(m.SigningCertURL, region) {
		return source.Unauthenticated("the certificate is not where SNS has those of the topic's region")
	}
	certificate, err := v.certificates.get(ctx, m.SigningCertURL)
	if err != nil {
		return err
	}
	return m.verify(certificate)
}

// confirm visits the address in the message: its signature has just been verified. SNS sends the message again if that
// fails. https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
func (v *verifier) confirm(ctx context.Context, m *message) error {
	region, err := regionOf(m.TopicARN)
	if err != nil {
		return err
	}
	if !isServiceURL(m.SubscribeURL, region) {
		return source.BadPayload("SubscribeURL is not an address of SNS in the topic's region")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmLimit)
	defer cancel()
	if _, err := httpx.Get(ctx, v.client, m.SubscribeURL, maxAnswer); err != nil {
		return source.Unavailable("the subscription could not be confirmed: %v", err)
	}
	return nil
}
