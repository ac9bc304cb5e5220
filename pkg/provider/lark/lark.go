// Package lark posts cards to a group of Lark, or Feishu, through the webhook of a custom bot.
//
// Source: https://open.larksuite.com/document/client-docs/bot-v3/add-custom-bot
package lark

import (
	"fmt"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// maxBody is how many bytes a request may have (see the page above).
const maxBody = 20 << 10

// New returns a Sender of type lark. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	return &chat.Poster{Client: cfg.Client, URL: cfg.Address, Message: fitted, Verdict: verdict}, nil
}

// fitted returns a message within the limit.
func fitted(e *event.Event) any {
	size := func(c chat.Content) int { return len(chat.JSON(newMessage(e, c))) }
	return newMessage(e, chat.Fit(e, maxBody, size))
}

// message is a message with a card.
//
// Source: https://open.larksuite.com/document/common-capabilities/message-card/message-cards-content/card-header
type message struct {
	MsgType string `json:"msg_type"`
	Card    card   `json:"card"`
}

type card struct {
	Config   cardConfig `json:"config"`
	Header   cardHeader `json:"header"`
	Elements []element  `json:"elements"`
}

type cardConfig struct {
	WideScreenMode bool `json:"wide_screen_mode"`
}

type cardHeader struct {
	Title text `json:"title"`
	// Template is a color.
	Template string `json:"template"`
}

type element struct {
	Tag  string `json:"tag"`
	Text text   `json:"text"`
}

type text struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

func newMessage(e *event.Event, content chat.Content) message {
	title := chat.Pick(e, "🚨", "💫") + " " + e.InvolvedObject.Dotted()
	body := fmt.Sprintf("**%s**\n\n%s", content.Message, content.Lines("%s: %s\n"))
	return message{MsgType: "interactive", Card: card{
		Config:   cardConfig{WideScreenMode: true},
		Header:   cardHeader{Title: text{"plain_text", title}, Template: chat.Pick(e, "red", "turquoise")},
		Elements: []element{{Tag: "div", Text: text{"lark_md", body}}},
	}}
}

// Codes of answers (see the page above).
const (
	codeRateLimited   = 11232
	codeInvalidToken  = 19001
	codeWrongSign     = 19021
	codeForbiddenHost = 19022
)

// pause is for an answer that asks to wait, which never says how long: a bot may send 5 messages in a second and 100
// in a minute.
const pause = 15 * time.Second

// verdict goes by the code in the body, which is not 0 where the message was not taken, whatever the status.
func verdict(a *httpx.Answer, now time.Time) error {
	said := chat.Decode[struct {
		Code    int    `json:"code"`
		Message string `json:"msg"`
	}](a)
	const format = "Lark responded with error %d: %s"
	text := httpx.Quote([]byte(said.Message))
	if said.Code == codeRateLimited {
		return provider.Throttledf(pause, format, said.Code, text)
	}
	if err := httpx.StatusError(a, now); err != nil {
		return err
	}
	switch said.Code {
	case 0:
		return nil
	case codeInvalidToken, codeWrongSign, codeForbiddenHost:
		return provider.Permanentf(provider.ReasonAuth, format, said.Code, text)
	default:
		return provider.Permanentf(provider.ReasonRejected, format, said.Code, text)
	}
}
