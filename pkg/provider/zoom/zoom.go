// Package zoom posts messages to a channel of Zoom Team Chat through an incoming webhook.
//
// Zoom documents no limits for these messages, so none are cut.
//
// Sources: https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067640,
// https://developers.zoom.us/docs/chat/send-edit-and-delete-messages/#send-messages-via-incoming-webhooks
package zoom

import (
	"net/url"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// New returns a Sender of type zoom. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	u, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	header, err := httpx.TokenHeader("Authorization", cfg.Token)
	if err != nil {
		return nil, err
	}
	return &chat.Poster{Client: cfg.Client, URL: withFormat(u), Header: header, Message: newMessage, Verdict: verdict}, nil
}

// withFormat says in the address that messages are cards, unless it says what they are.
func withFormat(u *url.URL) string {
	if query := u.Query(); query.Get("format") == "" {
		query.Set("format", "full")
		u.RawQuery = query.Encode()
	}
	return u.String()
}

// message is a card.
//
// Source: https://developers.zoom.us/docs/chat/customizing-messages/
type message struct {
	Content cardContent `json:"content"`
}

type cardContent struct {
	Head cardHead   `json:"head"`
	Body []cardPart `json:"body"`
}

type cardHead struct {
	Text    string      `json:"text"`
	SubHead cardSubHead `json:"sub_head"`
}

type cardSubHead struct {
	Text string `json:"text"`
}

// cardPart is a text or a list of fields.
type cardPart struct {
	Type  string      `json:"type"`
	Text  string      `json:"text,omitempty"`
	Items []cardField `json:"items,omitempty"`
}

type cardField struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func newMessage(e *event.Event) any {
	content := chat.NewContent(e)
	parts := []cardPart{{Type: "message", Text: content.Message}}
	if len(content.Metadata) > 0 {
		fields := cardPart{Type: "fields"}
		for _, entry := range content.Metadata {
			fields.Items = append(fields.Items, cardField{entry.Key, entry.Value})
		}
		parts = append(parts, fields)
	}
	head := cardHead{Text: e.InvolvedObject.Dotted(), SubHead: cardSubHead{Text: e.Severity}}
	return message{cardContent{Head: head, Body: parts}}
}

// verdict goes by the status, unless the answer has an error code whatever that is.
//
// Source: https://developers.zoom.us/docs/api/errors/
func verdict(a *httpx.Answer, now time.Time) error {
	if err := httpx.StatusError(a, now); err != nil {
		return err
	}
	said := chat.Decode[struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}](a)
	// A success may repeat its status.
	if said.Code != 0 && said.Code/100 != 2 {
		return provider.Permanentf(provider.ReasonRejected, "Zoom responded with error %d: %s", said.Code, httpx.Quote([]byte(said.Message)))
	}
	return nil
}
