package sns

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// Types of messages. The two that are about the subscription have the same fields.
const (
	typeNotification   = "Notification"
	typeSubscription   = "SubscriptionConfirmation"
	typeUnsubscription = "UnsubscribeConfirmation"
)

// message is what SNS sends.
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
// https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
type message struct {
	Type      string
	MessageID string `json:"MessageId"`
	TopicARN  string `json:"TopicArn"`
	// Subject is only there if the publisher has set it.
	Subject *string
	Message string
	// Token and SubscribeURL are those of messages about the subscription.
	Token        string
	SubscribeURL string
	// Timestamp is when the message was published, also when it is sent again.
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string

	// at is the time in Timestamp.
	at time.Time
}

// decode reads a message. It is not authentic yet, so that nothing is said of what is wrong with it.
func decode(body []byte) (*message, error) {
	m := &message{}
	err := json.Unmarshal(body, m)
	if err == nil {
		m.at, err = time.Parse(time.RFC3339, m.Timestamp)
	}
	if err != nil {
		return nil, source.Unauthenticated("the body is not a message of SNS; raw message delivery has no signature")
	}
	return m, nil
}

// signed is the text that is signed: names and values of the fields, in the order of their names.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
func (m *message) signed() (string, error) {
	// Anywhere but in the message, which has all others behind it, a line break would leave open where a field ends: the
	// same text would be that of several messages.
	if strings.Contains(m.MessageID, "\n") || (m.Subject != nil && strings.Contains(*m.Subject, "\n")) {
		return "", source.Unauthenticated("a field of the message has a line break")
	}
	fields := []string{"Message", m.Message, "MessageId", m.MessageID}
	switch m.Type {
	case typeNotification:
		if m.Subject != nil {
			fields = append(fields, "Subject", *m.Subject)
		}
		fields = append(fields, "Timestamp", m.Timestamp)
	case typeSubscription, typeUnsubscription:
		fields = append(fields, "SubscribeURL", m.SubscribeURL, "Timestamp", m.Timestamp, "Token", m.Token)
	default:
		return "", source.Unauthenticated("the message is of a type that SNS does not have")
	}
	fields = append(fields, "TopicArn", m.TopicARN, "Type", m.Type)
	return strings.Join(fields, "\n") + "\n", nil
}

// verify returns nil if SNS has signed the message with the key of the certificate.
func (m *message) verify(certificate *x509.Certificate) error {
	signed, err := m.signed()
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return source.Unauthenticated("the signature is not base64")
	}
	return checkSignature(certificate, m.SignatureVersion, []byte(signed), signature)
}

// payload is what filters see: only what is signed, which attributes are not. A message that is a JSON object is
// decoded, as those of other services of AWS are.
func (m *message) payload() ([]byte, error) {
	seen := map[string]any{
		"Type": m.Type, "MessageId": m.MessageID, "TopicArn": m.TopicARN, "Timestamp": m.Timestamp, "Message": m.Message,
	}
	if m.Subject != nil {
		seen["Subject"] = *m.Subject
	}
	var object map[string]any
	if json.Unmarshal([]byte(m.Message), &object) == nil && object != nil {
		seen["Message"] = json.RawMessage(m.Message)
	}
	return json.Marshal(seen)
}
