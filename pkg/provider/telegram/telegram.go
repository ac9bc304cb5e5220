// Package telegram sends messages to a chat of Telegram as a bot.
//
// Source: https://core.telegram.org/bots/api#sendmessage
package telegram

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// apiURL is where all bots are.
const apiURL = "https://api.telegram.org"

// maxText is how many characters a text may have (see the page above). That is counted without the markup, but here
// with it: it is never more, and a text that is cut is cut by much.
const maxText = 4096

type message struct {
	ChatID          string `json:"chat_id"`
	MessageThreadID string `json:"message_thread_id,omitempty"`
	Text            string `json:"text"`
	ParseMode       string `json:"parse_mode"`
}

// New returns a Sender of type telegram. The channel is a chat, or a chat and a thread with a colon between them; the
// address is not used. The error names what to change: the channel or the token.
func New(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, apiURL) }

// newSender lets a test say where the bots are.
func newSender(cfg provider.Config, apiURL string) (provider.Sender, error) {
	if cfg.Channel == "" {
		return nil, provider.Permanentf(provider.ReasonConfig, "spec.channel is empty: it has to be the ID of a chat")
	}
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	if url.PathEscape(cfg.Token) != cfg.Token {
		return nil, provider.Permanentf(provider.ReasonSecret, "%s has characters that a token of Telegram cannot have", provider.SecretKey("token"))
	}
	return &chat.Poster{
		Client:  cfg.Client,
		URL:     apiURL + "/bot" + cfg.Token + "/sendMessage",
		Message: func(e *event.Event) any { return newMessage(e, cfg.Channel) },
		Verdict: verdict,
	}, nil
}

func newMessage(e *event.Event, channel string) message {
	chatID, thread, _ := strings.Cut(channel, ":")
	size := func(c chat.Content) int { return chat.Characters(text(e, c)) }
	return message{
		ChatID:          chatID,
		MessageThreadID: thread,
		Text:            text(e, chat.Fit(e, maxText, size)),
		ParseMode:       "MarkdownV2",
	}
}

func text(e *event.Event, content chat.Content) string {
	object := e.InvolvedObject
	heading := fmt.Sprintf("%s %s/%s/%s", chat.Pick(e, "🚨", "💫"), strings.ToLower(object.Kind), object.Name, object.Namespace)
	var lines strings.Builder
	for _, entry := range content.Metadata {
		fmt.Fprintf(&lines, "\\- *%s*: %s\n", escape(entry.Key), escape(entry.Value))
	}
	return fmt.Sprintf("*%s*\n%s\n%s", escape(heading), escape(content.Message), &lines)
}

// escape has all characters stand for themselves.
//
// Source: https://core.telegram.org/bots/api#markdownv2-style
func escape(s string) string {
	const special = "\\.-_[]()~>`#+=|{}!*"
	var escaped strings.Builder
	for _, r := range s {
		if strings.ContainsRune(special, r) {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// verdict goes by the status and, in case that is a 200, by the status in the body.
//
// Source: https://core.telegram.org/bots/api#making-requests
func verdict(a *httpx.Answer, now time.Time) error {
	said := chat.Decode[struct {
		OK          *bool  `json:"ok"`
		ErrorCode   int    `json:"error_code"`
		Description string `json:"description"`
		// Source: https://core.telegram.org/bots/api#responseparameters
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}](a)
	if said.OK != nil && !*said.OK && a.StatusCode/100 == 2 {
		if said.ErrorCode < http.StatusBadRequest {
			return provider.Permanentf(provider.ReasonRejected, "Telegram responded with error: %s", httpx.Quote([]byte(said.Description)))
		}
		a = chat.WithStatus(a, said.ErrorCode)
	}
	return chat.StatusError(a, now, said.Parameters.RetryAfter)
}
