package git

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// addressField is where a Provider names the repository.
const addressField = "spec.address"

// advise adds to a permanent refusal which field of which object to change.
func (c *Client) advise(call Call, answer *httpx.Answer, refusal error) error {
	if refusal == nil {
		return nil
	}
	classified := provider.Classify(refusal)
	if classified.Kind != provider.Permanent {
		return refusal
	}
	advice := c.advice(call, answer)
	if advice == "" {
		return refusal
	}
	return provider.Permanentf(classified.Reason, "%w (%s)", refusal, advice)
}

func (c *Client) advice(call Call, answer *httpx.Answer) string {
	of := " of Provider '" + c.Provider.String() + "'"
	switch {
	case answer.StatusCode == http.StatusUnauthorized:
		return "it does not know the credential, or it has expired: change " + c.Credential + of
	case answer.StatusCode == http.StatusForbidden:
		return "the credential may not do this: give it the rights, or change " + c.Credential + of
	case call.Commit != "" && isAboutCommit(call, answer):
		return "the repository in " + addressField + of + " has no commit " + call.Commit +
			": change " + addressField + ", or the spec.eventSources of the Alert to what is made of that repository"
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		if c.Missing != "" {
			return c.Missing + of
		}
		advice := "there is no such repository, or the credential may not see it: change " + addressField + " or " + c.Credential + of
		if call.Commit != "" {
			advice += "; or the repository has no commit " + call.Commit
		}
		return advice
	default:
		return ""
	}
}

// isAboutCommit says whether a refusal says that there is no such commit: it names the commit, or has words for it.
//
//	GitHub            422 No commit found for SHA: …
//	GitLab            404 Commit Not Found
//	Gitea             404 object does not exist [id: …
//	Bitbucket         404 Commit not found
//	Bitbucket Server  404 Commit '…' does not exist in repository '…'
//	Azure DevOps      404 TF401175: The version descriptor <Commit: …> could not be resolved
func isAboutCommit(call Call, answer *httpx.Answer) bool {
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
	default:
		return false
	}
	said := bytes.ToLower(answer.Body)
	for _, words := range []string{strings.ToLower(call.Commit), "commit not found", "commit does not exist"} {
		if bytes.Contains(said, []byte(words)) {
			return true
		}
	}
	return false
}
