// Package matrix sends messages to a Matrix room through the user's homeserver.
//
// Source: https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
package matrix

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
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

const (
	// maxEvent is how many bytes an event of Matrix may have
	// (https://spec.matrix.org/latest/client-server-api/#size-limits).
	maxEvent = 65_536
	// envelope is what the homeserver has left of that: sender, room, hashes, signatures, events before.
	envelope = 4096
)

type sender struct {
	client *http.Client
	// messages is the URL that a message of the room is put under, by its transaction.
	messages string
	header   http.Header
}

type message struct {
	Body    string `json:"body"`
	MsgType string `json:"msgtype"`
}

// New returns a Sender of type matrix. The address is that of the homeserver, the channel the ID of a room. The error
// names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", "Bearer "+cfg.Token)
	if err != nil {
		return nil, err
	}
	messages := strings.TrimRight(cfg.Address, "/") + "/_matrix/client/r0/rooms/" + escapeRoom(cfg.Channel) + "/send/m.room.message/"
	return &sender{client: cfg.Client, messages: messages, header: header}, nil
}

// escapeRoom writes a room as a segment of a path, also one that is already written so. The exclamation mark, with
// which IDs start, stays for reading: it needs no escape.
func escapeRoom(room string) string {
	if unescaped, err := url.PathUnescape(room); err == nil {
		room = unescaped
	}
	return strings.ReplaceAll(url.PathEscape(room), "%21", "!")
}

// Send implements [provider.Sender].
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	id, err := transactionID(&n.Event)
	if err != nil {
		return err
	}
	size := func(c chat.Content) int { return len(chat.JSON(newMessage(&n.Event, c))) }
	content := chat.Fit(&n.Event, maxEvent-envelope, size)
	request := httpx.Request{Method: http.MethodPut, URL: s.messages + id, Header: s.header}
	return chat.SendJSON(ctx, s.client, request, newMessage(&n.Event, content), verdict)
}

// transactionID is the same each time that an event is sent, so that the homeserver takes it once. SHA-1 is not there
// for security.
func transactionID(e *event.Event) (string, error) {
	encoded, err := json.Marshal(e)
	if err != nil {
		return "", provider.Permanentf(provider.ReasonInvalid, "encode event: %w", err)
	}
	sum := sha1.Sum(encoded)
	return hex.EncodeToString(sum[:]), nil
}

// newMessage returns an event of type m.room.message.
//
// Source: https://spec.matrix.org/latest/client-server-api/#mtext
func newMessage(e *event.Event, c chat.Content) message {
	body := fmt.Sprintf("%s %s\n%s\n%s", chat.Pick(e, "🚨", "💫"), e.InvolvedObject.Dotted(), c.Message, c.Lines("- %s: %s\n"))
	return message{Body: body, MsgType: "m.text"}
}

// verdict goes by the status. Before version 1.10, homeservers said only in the body how long to wait.
//
// Source: https://spec.matrix.org/latest/client-server-api/#rate-limiting
func verdict(a *httpx.Answer, now time.Time) error {
	milliseconds := chat.Decode[struct {
		RetryAfterMS float64 `json:"retry_after_ms"`
	}](a).RetryAfterMS
	return chat.StatusError(a, now, milliseconds/1000)
}
