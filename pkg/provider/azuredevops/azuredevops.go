// Package azuredevops tells Azure DevOps about commits.
//
// Source: https://learn.microsoft.com/rest/api/azure/devops/git/statuses
package azuredevops

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// scope is that of access tokens for Azure DevOps, whose ID in Microsoft Entra this is.
	//
	// Source: https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity
	scope = "499b84ac-1321-427f-aa17-267ca6975798/.default"
	// genre groups the statuses, of each cluster if the event's summary names it.
	genre = "fluxcd"
	// maxDescription is a bound of ours: the page above names none.
	maxDescription = 255
)

// New returns a Sender of type azuredevops, which sets the state of commits. The address is that of a repository, such as
// https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY. Without a token, the controller's or the service account's
// identity is used. The error names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	base, err := apiBase(cfg.Address)
	if err != nil {
		return nil, err
	}
	client := &git.Client{
		HTTP: cfg.Client,
		Base: base,
		Header: http.Header{
			"Accept": {"application/json;api-version=6.0"},
			// Who does not know the caller says so, and does not lead to a page to sign in.
			"X-Tfs-Fedauthredirect": {"Suppress"},
			"X-Tfs-Session":         {uuid.NewString()},
		},
		Provider: cfg.Provider,
	}
	if err := authorize(client, cfg); err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host:           statuses{client},
		Words:          git.Words{Success: "succeeded", Failure: "error"},
		MaxDescription: maxDescription,
		States:         cfg.States,
		Genre: func(n *provider.Notification) string {
			if summary, ok := n.Event.Metadata[event.KeySummary]; ok {
				return genre + ":" + summary
			}
			return genre
		},
	}, nil
}

// authorize has the client use the token of the Secret, or else the identity. Both are passwords without a user.
func authorize(client *git.Client, cfg provider.Config) error {
	header := func(token string) http.Header { return http.Header{"Authorization": {httpx.BasicAuth("", token)}} }
	if token := strings.TrimSpace(cfg.Token); token != "" {
		client.Credential = provider.SecretKey("token")
		client.Authorize = git.Fixed(header(token))
		return nil
	}
	if cfg.Identity == nil {
		return provider.MissingKey("token")
	}
	if cfg.ServiceAccountName == "" && !isCloud(client.Base) {
		return httpx.AddressError("is not at " + cloudHost + " or visualstudio.com, and no other server gets a token of the controller's own identity: put one into " +
			provider.SecretKey("token") + ", or name a ServiceAccount in spec.serviceAccountName")
	}
	client.Credential = "the rights of the identity in spec.serviceAccountName, or the controller's,"
	client.Authorize = func(ctx context.Context) (http.Header, error) {
		token, err := cfg.Identity.Azure(ctx, scope)
		if err != nil {
			return nil, err
		}
		return header(token), nil
	}
	client.Refused = func(http.Header) { cfg.Identity.ForgetAzure(scope) }
	return nil
}

// statuses implements [git.StatusHost].
type statuses struct{ client *git.Client }

// status is a commit status as Azure DevOps takes it, and shows it.
type status struct {
	Context     statusContext `json:"context"`
	Description string        `json:"description"`
	State       string        `json:"state"`
}

type statusContext struct {
	Genre string `json:"genre"`
	Name  string `json:"name"`
}

// Shown asks for the latest status of each context.
func (s statuses) Shown(ctx context.Context, want git.Status, _ string) (git.Shown, error) {
	var found struct {
		Value []status `json:"value"`
	}
	err := s.do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   "/" + want.Commit + "/statuses?latestOnly=true",
		Out:    &found,
		Commit: want.Commit,
	})
	if err != nil {
		return git.Shown{}, err
	}
	for _, candidate := range found.Value {
		if candidate.Context == (statusContext{want.Genre, want.Context}) {
			return git.Shown{State: candidate.State, Description: candidate.Description}, nil
		}
	}
	return git.Shown{}, nil
}

// Set creates a status; Azure DevOps shows the newest of each context.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	return s.do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   "/" + want.Commit + "/statuses",
		Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}},
		In:     status{statusContext{want.Genre, want.Context}, want.Description, want.State},
		Commit: want.Commit,
	})
}

// do makes a call. A token that has expired is answered with 203 and a page to sign in.
func (s statuses) do(ctx context.Context, call git.Call) error {
	answer, err := s.client.Do(ctx, call)
	if answer != nil && answer.StatusCode == http.StatusNonAuthoritativeInfo {
		refusal := provider.Permanentf(provider.ReasonAuth, "Azure DevOps wants to be signed in to: change %s of Provider '%s'",
			s.client.Credential, s.client.Provider)
		if s.client.Refused != nil {
			s.client.Refused(nil)
			refusal.Kind = provider.Transient
		}
		return refusal
	}
	return err
}
