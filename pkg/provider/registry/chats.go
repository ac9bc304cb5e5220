package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/discord"
	"github.com/notification-controller/notification-controller/pkg/provider/googlechat"
	"github.com/notification-controller/notification-controller/pkg/provider/lark"
	"github.com/notification-controller/notification-controller/pkg/provider/matrix"
	"github.com/notification-controller/notification-controller/pkg/provider/msteams"
	"github.com/notification-controller/notification-controller/pkg/provider/rocket"
	"github.com/notification-controller/notification-controller/pkg/provider/slack"
	"github.com/notification-controller/notification-controller/pkg/provider/telegram"
	"github.com/notification-controller/notification-controller/pkg/provider/webex"
	"github.com/notification-controller/notification-controller/pkg/provider/zoom"
	"github.com/notification-controller/notification-controller/pkg/provider/zulip"
)

// chats are the types that people read.
func chats() []provider.Type {
	return []provider.Type{
		{
			Name:         "discord",
			Title:        "Discord",
			New:          discord.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
			Sends:        "What `slack` sends, which Discord shows as an embed.",
			Address:      "that of a webhook; `?thread_id=` leads to a thread",
			Limits:       "The message is cut at 4,096 characters, a key at 256, a value at 1,024, metadata at 25 entries, all of it at 6,000 characters.",
			Notes:        "`username` is the name that is shown, by default the controller's.",
		},
		{
			Name:         "googlechat",
			Title:        "Google Chat",
			New:          googlechat.New,
			NeedsAddress: true,
			Sends:        "A card with the message, in red for errors, and a widget for each entry of metadata.",
			Address:      "that of a webhook; `&threadKey=` with `&messageReplyOption=` leads to a thread",
			Limits:       "A message is cut at 32,000 bytes.",
		},
		{
			Name:         "lark",
			Title:        "Lark",
			New:          lark.New,
			NeedsAddress: true,
			Sends:        "A card with the message, and a line for each entry of metadata.",
			Address:      "that of a bot's webhook",
			Limits:       "A request is cut at 20 KB.",
			Notes:        "Also for Feishu.",
		},
		{
			Name:         "matrix",
			Title:        "Matrix",
			New:          matrix.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			Sends:        "A plain text with the message, and a line for each entry of metadata.",
			Address:      "that of the homeserver",
			Channel:      "the ID of a room: `!abc:example.org`",
			Limits:       "A message is cut so that Matrix's event has 65,536 bytes at most.",
			Notes:        "A message that is sent again after a failure has the same transaction, so that the room shows it once.",
		},
		{
			Name:         "msteams",
			Title:        "Microsoft Teams",
			New:          msteams.New,
			NeedsAddress: true,
			Sends:        "An Adaptive Card with the message, and a fact for each entry of metadata.",
			Address:      "that of a workflow, or of a connector at `webhook.office.com`, which gets a MessageCard",
			Limits:       "A message is cut at 28 KB.",
		},
		{
			Name:         "rocket",
			Title:        "Rocket.Chat",
			New:          rocket.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
			Sends:        "What `slack` sends.",
			Address:      "that of an incoming webhook",
			Channel:      "a channel; by default the webhook's",
			Notes:        "`username` is the name that is shown, by default the webhook's.",
		},
		{
			Name:         "slack",
			Title:        "Slack",
			New:          slack.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
			Sends:        "An attachment with the message, and a field for each entry of metadata; its bar is green or, for errors, red.",
			Address:      "that of an incoming webhook, or `https://slack.com/api/chat.postMessage` with a token",
			Channel:      "a channel, needed with a token",
			Limits:       "The text is cut at 8,000 characters, a value at 2,000, metadata at 50 entries.",
			Notes:        "`username` is the name that is shown, by default the controller's.",
		},
		{
			Name:         "telegram",
			Title:        "Telegram",
			New:          telegram.New,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
			Sends:        "A MarkdownV2 text with the message, and a line for each entry of metadata.",
			Address:      "not used: always `https://api.telegram.org`",
			Channel:      "the ID or `@name` of a chat, and with a colon between them a thread: `-1552289257:1`",
			Limits:       "A message is cut at 4,096 characters.",
			Notes:        "The token is that of a bot.",
		},
		{
			Name:         "webex",
			Title:        "Webex",
			New:          webex.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			Sends:        "A Markdown text with the message, and a line for each entry of metadata.",
			Address:      "usually `https://webexapis.com/v1/messages`",
			Channel:      "the ID of a room, of which the bot is a member",
			Limits:       "A message is cut at 7,439 bytes.",
		},
		{
			Name:         "zoom",
			Title:        "Zoom",
			New:          zoom.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
			Sends:        "A card with the message, and a field for each entry of metadata.",
			Address:      "that of an incoming webhook",
			Notes:        "The token is the webhook's verification token.",
		},
		{
			Name:         "zulip",
			Title:        "Zulip",
			New:          zulip.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
			Sends:        "A Markdown text with the message, and a line for each entry of metadata.",
			Address:      "that of the server",
			Channel:      "a channel and a topic with a slash between them: `general/flux`",
			Limits:       "A message is cut at 10,000 characters.",
			Notes:        "`username` is the email address of a bot, `password` its API key.",
		},
	}
}
