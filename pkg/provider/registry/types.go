package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/alertmanager"
	"github.com/notification-controller/notification-controller/pkg/provider/azuredevops"
	"github.com/notification-controller/notification-controller/pkg/provider/azureeventhub"
	"github.com/notification-controller/notification-controller/pkg/provider/bitbucket"
	"github.com/notification-controller/notification-controller/pkg/provider/bitbucketserver"
	"github.com/notification-controller/notification-controller/pkg/provider/datadog"
	"github.com/notification-controller/notification-controller/pkg/provider/discord"
	"github.com/notification-controller/notification-controller/pkg/provider/generic"
	"github.com/notification-controller/notification-controller/pkg/provider/gitea"
	"github.com/notification-controller/notification-controller/pkg/provider/github"
	"github.com/notification-controller/notification-controller/pkg/provider/gitlab"
	"github.com/notification-controller/notification-controller/pkg/provider/googlechat"
	"github.com/notification-controller/notification-controller/pkg/provider/googlepubsub"
	"github.com/notification-controller/notification-controller/pkg/provider/grafana"
	"github.com/notification-controller/notification-controller/pkg/provider/incidentio"
	"github.com/notification-controller/notification-controller/pkg/provider/lark"
	"github.com/notification-controller/notification-controller/pkg/provider/matrix"
	"github.com/notification-controller/notification-controller/pkg/provider/msteams"
	"github.com/notification-controller/notification-controller/pkg/provider/nats"
	"github.com/notification-controller/notification-controller/pkg/provider/opsgenie"
	"github.com/notification-controller/notification-controller/pkg/provider/otel"
	"github.com/notification-controller/notification-controller/pkg/provider/pagerduty"
	"github.com/notification-controller/notification-controller/pkg/provider/rocket"
	"github.com/notification-controller/notification-controller/pkg/provider/sentry"
	"github.com/notification-controller/notification-controller/pkg/provider/slack"
	"github.com/notification-controller/notification-controller/pkg/provider/telegram"
	"github.com/notification-controller/notification-controller/pkg/provider/webex"
	"github.com/notification-controller/notification-controller/pkg/provider/zoom"
	"github.com/notification-controller/notification-controller/pkg/provider/zulip"
)

// Types returns the table of all types of Provider, by name.
func Types() []provider.Type {
	return []provider.Type{
		{
			Name:         "alertmanager",
			Title:        "Prometheus Alertmanager",
			New:          alertmanager.New,
			OrderingKey:  (*provider.Notification).ObjectKey,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "azuredevops",
			Title:        "Azure DevOps commit status",
			New:          azuredevops.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   []string{"token"},
		},
		{
			Name:         "azureeventhub",
			Title:        "Azure Event Hubs",
			New:          azureeventhub.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
		},
		{
			Name:         "bitbucket",
			Title:        "Bitbucket Cloud commit status",
			New:          bitbucket.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "bitbucketserver",
			Title:        "Bitbucket Server commit status",
			New:          bitbucketserver.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "datadog",
			Title:        "Datadog",
			New:          datadog.New,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "discord",
			Title:        "Discord",
			New:          discord.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
		},
		{
			Name:         "generic",
			Title:        "Generic webhook",
			New:          generic.New,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers"},
		},
		{
			Name:         "generic-hmac",
			Title:        "Generic webhook with a signature",
			New:          generic.NewHMAC,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "gitea",
			Title:        "Gitea commit status",
			New:          gitea.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "giteapullrequestcomment",
			Title:        "Gitea pull request comment",
			New:          gitea.NewPullRequestComment,
			Family:       provider.FamilyChangeRequest,
			OrderingKey:  (*provider.Notification).CommentKey,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "github",
			Title:        "GitHub commit status",
			New:          github.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   github.SecretKeys(),
		},
		{
			Name:         "githubdispatch",
			Title:        "GitHub repository dispatch",
			New:          github.NewDispatch,
			NeedsAddress: true,
			SecretKeys:   github.SecretKeys(),
		},
		{
			Name:         "githubpullrequestcomment",
			Title:        "GitHub pull request comment",
			New:          github.NewPullRequestComment,
			Family:       provider.FamilyChangeRequest,
			OrderingKey:  (*provider.Notification).CommentKey,
			NeedsAddress: true,
			SecretKeys:   github.SecretKeys(),
		},
		{
			Name:         "gitlab",
			Title:        "GitLab commit status",
			New:          gitlab.New,
			Family:       provider.FamilyCommitStatus,
			OrderingKey:  (*provider.Notification).StatusKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretTLS:    true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "gitlabmergerequestcomment",
			Title:        "GitLab merge request comment",
			New:          gitlab.NewMergeRequestComment,
			Family:       provider.FamilyChangeRequest,
			OrderingKey:  (*provider.Notification).CommentKey,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "googlechat",
			Title:        "Google Chat",
			New:          googlechat.New,
			NeedsAddress: true,
		},
		{
			Name:         "googlepubsub",
			Title:        "Google Cloud Pub/Sub",
			New:          googlepubsub.New,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "token"},
		},
		{
			Name:         "grafana",
			Title:        "Grafana",
			New:          grafana.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "incident.io",
			Title:        "incident.io",
			New:          incidentio.New,
			OrderingKey:  (*provider.Notification).ObjectKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "lark",
			Title:        "Lark",
			New:          lark.New,
			NeedsAddress: true,
		},
		{
			Name:         "matrix",
			Title:        "Matrix",
			New:          matrix.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
		},
		{
			Name:         "msteams",
			Title:        "Microsoft Teams",
			New:          msteams.New,
			NeedsAddress: true,
		},
		{
			Name:         "nats",
			Title:        "NATS",
			New:          nats.New,
			NeedsAddress: true,
			SecretKeys:   []string{"creds", "nkey", "password", "token", "username"},
		},
		{
			Name:         "opsgenie",
			Title:        "Opsgenie",
			New:          opsgenie.New,
			OrderingKey:  (*provider.Notification).ObjectKey,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "otel",
			Title:        "OpenTelemetry traces",
			New:          otel.New,
			Skip:         otel.Skip,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "password", "token", "username"},
		},
		{
			Name:          "pagerduty",
			Title:         "PagerDuty",
			New:           pagerduty.New,
			OrderingKey:   (*provider.Notification).ObjectKey,
			Skip:          (*provider.Notification).IsProgressing,
			NeedsAddress:  true,
			SecretChannel: true,
		},
		{
			Name:         "rocket",
			Title:        "Rocket.Chat",
			New:          rocket.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
		},
		{
			Name:         "sentry",
			Title:        "Sentry",
			New:          sentry.New,
			NeedsAddress: true,
		},
		{
			Name:         "slack",
			Title:        "Slack",
			New:          slack.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
		{
			Name:         "telegram",
			Title:        "Telegram",
			New:          telegram.New,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "webex",
			Title:        "Webex",
			New:          webex.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
		},
		{
			Name:         "zoom",
			Title:        "Zoom",
			New:          zoom.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "zulip",
			Title:        "Zulip",
			New:          zulip.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "username"},
		},
	}
}
