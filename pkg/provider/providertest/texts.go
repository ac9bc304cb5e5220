package providertest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// CheckMessages compares what a new sender makes of some notifications, one request each, with golden files in testdata.
func CheckMessages(t *testing.T, construct Constructor, config func(url string) provider.Config) {
	for name, n := range map[string]*provider.Notification{
		"error":  Notification(),
		"info":   InfoNotification(),
		"bare":   BareNotification(),
		"empty":  {},
		"markup": MarkupNotification(),
	} {
		t.Run(name, func(t *testing.T) {
			r := Capture(t, construct, config, n)[0]
			file := "testdata/" + name + ".json"
			if r.Header.Get("Content-Type") != "application/json" {
				file = "testdata/" + name + ".txt"
			}
			Golden(t, file, r.Body)
		})
	}
}

// CheckLimit checks that no request of a new sender is longer than a limit, and that none was cut far below it.
func CheckLimit(t *testing.T, construct Constructor, config func(url string) provider.Config, limit int, length func(body []byte) int) {
	for name, n := range LongNotifications() {
		t.Run(name, func(t *testing.T) {
			body := Capture(t, construct, config, n)[0].Body
			got := length(body)
			if got > limit {
				t.Errorf("length %d is over the limit of %d", got, limit)
			}
			if contains(body, provider.Ellipsis, "%E2%80%A6") && got < limit*9/10 {
				t.Errorf("cut to a length of %d, far below the limit of %d", got, limit)
			}
			if contains(body, "\uFFFD", `\ufffd`, "%EF%BF%BD") {
				t.Error("cut within a character")
			}
		})
	}
}

func contains(body []byte, texts ...string) bool {
	for _, text := range texts {
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

// markup has the characters that mean something in some chat, and emoji.
const markup = "*bold* _italic_ ~struck~ `code` **b** __u__ ||spoiler|| <!channel> <@U1> @everyone @**all**\n" +
	"# head\n> quote\n- item\n1. item\n[text](https://example.org/a_b?c=d&e#f) | {x} = (y)! ... \\ \"q\" 'r'\n" +
	"```\nblock\n```\n🚨 👩‍🚀 é ü 漢 \u2028<font color=\"#ff0000\">red</font></font>"

// MarkupNotification returns the notification of a failure whose texts are full of what means something in chats.
func MarkupNotification() *provider.Notification {
	n := Notification()
	n.Event.Message = markup
	n.Event.Metadata = map[string]string{
		"a.b/c_d*e":                 "**v** `w` <b>x</b> & ~y~",
		event.KeyChangeRequest:      "7",
		event.KeySummary:            "[a](https://example.org/?b=c&d) 👩‍🚀",
		"🚢":                         "",
		"two\nlines":                "and\ntwo",
		"quote \" and backslash \\": "\t",
	}
	return n
}

// LongNotifications returns notifications that are over the limits of most services, each in its own way.
func LongNotifications() map[string]*provider.Notification {
	changed := func(change func(*event.Event)) *provider.Notification {
		n := Notification()
		change(&n.Event)
		return n
	}
	return map[string]*provider.Notification{
		"all":         LongNotification(),
		"message":     changed(func(e *event.Event) { e.Message = strings.Repeat("a", 12_000) }),
		"emoji":       changed(func(e *event.Event) { e.Message = strings.Repeat("🚨é", 6_000) }),
		"line breaks": changed(func(e *event.Event) { e.Message = strings.Repeat("\n", 12_000) }),
		"markup":      changed(func(e *event.Event) { e.Message = strings.Repeat(markup, 40) }),
		"values": changed(func(e *event.Event) {
			for _, key := range []string{"a", "b", "c"} {
				e.Metadata[key] = strings.Repeat(key, 2000)
			}
		}),
		"entries": changed(func(e *event.Event) {
			for i := range 1_000 {
				e.Metadata[fmt.Sprintf("key-%04d", i)] = strings.Repeat("v", 100)
			}
		}),
		"megabytes": changed(func(e *event.Event) {
			e.Message = strings.Repeat("a", 3<<20)
			e.Metadata["long"] = strings.Repeat("b", 1<<20)
		}),
	}
}
