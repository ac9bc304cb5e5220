package azuredevops

import (
	"net/url"
	"slices"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// cloudHost has the organization in the path, as servers of one's own have the collection.
	cloudHost = "dev.azure.com"
	// sshHost is that of cloudHost for SSH, with paths of another form.
	sshHost = "ssh.dev.azure.com"
)

// isCloud says whether a URL leads to Azure DevOps itself, and not to whatever server a tenant names.
func isCloud(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "https" && (u.Host == cloudHost || strings.HasSuffix(u.Host, ".visualstudio.com"))
}

// apiBase is the URL of a repository's commits, for the addresses that Azure DevOps shows for cloning:
//
//	https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY
//	https://dev.azure.com/ORGANIZATION/_git/REPOSITORY          where the project has the same name
//	git@ssh.dev.azure.com:v3/ORGANIZATION/PROJECT/REPOSITORY
//	https://ORGANIZATION.visualstudio.com/PROJECT/_git/REPOSITORY
//	https://HOST/COLLECTION/PROJECT/_git/REPOSITORY             on a server, also below a path
func apiBase(address string) (string, error) {
	r, err := git.ParseAddress(address)
	if err != nil {
		return "", err
	}
	path := r.Path
	if r.Base.Hostname() == sshHost && len(path) == 4 && path[0] == "v3" {
		r.Base.Host = cloudHost
		path = []string{path[1], path[2], "_git", path[3]}
	}
	if r.Base.Hostname() == cloudHost && len(path) == 3 && path[1] == "_git" {
		path = []string{path[0], path[2], "_git", path[2]}
	}
	at := slices.Index(path, "_git")
	if at < 1 || at != len(path)-2 {
		return "", git.InvalidRepository(r.Path, "ORGANIZATION/PROJECT/_git/REPOSITORY")
	}
	organization := r.Base.String()
	if above := path[:at-1]; len(above) > 0 {
		organization += "/" + git.Escape(above...)
	}
	project, name := path[at-1], path[at+1]
	return strings.ToLower(organization) + "/" + git.Escape(project) + "/_apis/git/repositories/" + git.Escape(name) + "/commits", nil
}
