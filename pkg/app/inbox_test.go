package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// TestTokenRotation has callers of both tokens served while both are in the Secret.
func TestTokenRotation(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	const oldToken, newToken = planted + "-old", planted + "-new"
	cp.Apply(t, gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": oldToken}))
	c := start(t, cp, nil)
	oldPath := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	accepted := func(path, token string) {
		t.Helper()
		eventually(t, "the call to be accepted", func() error {
			if status, text := c.call(path, token, `{}`); status != http.StatusAccepted {
				return fmt.Errorf("status %d: %s", status, text)
			}
			return nil
		})
	}
	accepted(oldPath, oldToken)

	cp.Apply(t, secretManifest(ns, "github", map[string]string{"token": newToken, "previousToken": oldToken}))
	var newPath string
	eventually(t, "both paths", func() error {
		status := receiver(t, cp, ns, "github", "True").Status
		if status.PreviousWebhookPath != oldPath || status.WebhookPath == oldPath {
			return fmt.Errorf("paths %q and %q", status.WebhookPath, status.PreviousWebhookPath)
		}
		newPath = status.WebhookPath
		return nil
	})
	accepted(newPath, newToken)
	accepted(oldPath, oldToken)
	for _, wrong := range [][2]string{{newPath, oldToken}, {oldPath, newToken}} {
		if status, _ := c.call(wrong[0], wrong[1], `{}`); status != http.StatusUnauthorized {
			t.Errorf("a token was taken on the other one's path: %d", status)
		}
	}
	if !strings.Contains(c.exposition(), `notification_webhooks_previous_token_total{type="github"}`) {
		t.Error("uses of the previous token are not counted")
	}

	// Not by apply: what was given as stringData is not removed by leaving it out.
	cp.Kubectl(t, "-n", ns, "patch", "secret", "github", "--type=json", "-p", `[{"op":"remove","path":"/data/previousToken"}]`)
	eventually(t, "the previous path to go", func() error {
		if status := receiver(t, cp, ns, "github", "True").Status; status.PreviousWebhookPath != "" {
			return fmt.Errorf("path %q", status.PreviousWebhookPath)
		}
		return nil
	})
	eventually(t, "the previous path to be unknown", func() error {
		if status, _ := c.call(oldPath, oldToken, `{}`); status != http.StatusNotFound {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	accepted(newPath, newToken)
}

// TestWildcardOverManyObjects answers at once and annotates them all.
func TestWildcardOverManyObjects(t *testing.T) {
	const objects = 1000
	cp := shared(t)
	ns := namespace(t, cp)
	var manifests [8]strings.Builder
	for i := range objects {
		manifests[i%8].WriteString(gitRepository(ns, fmt.Sprintf("repo-%d", i)))
	}
	var creators sync.WaitGroup
	for i := range manifests {
		creators.Go(func() {
			if _, err := cp.TryKubectl(manifests[i].String(), "create", "-f", "-"); err != nil {
				t.Error(err)
			}
		})
	}
	creators.Wait()
	cp.Apply(t, strings.Replace(githubReceiver(ns, "all"), "name: webapp", "name: '*', matchLabels: {team: web}", 1)+
		secretManifest(ns, "all", map[string]string{"token": planted}))
	c := start(t, cp, nil)
	path := receiver(t, cp, ns, "all", "True").Status.WebhookPath

	eventually(t, "the objects to be read", func() error {
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	begin := time.Now()
	var answers []time.Duration
	for range 5 {
		called := time.Now()
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			t.Errorf("status %d: %s", status, text)
		}
		answers = append(answers, time.Since(called))
	}
	repositories := metadata.NewForConfigOrDie(cp.Config()).Resource(schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"})
	eventually(t, "all objects to be annotated", func() error {
		list, err := repositories.Namespace(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		annotated := 0
		for _, object := range list.Items {
			if object.Annotations[requestedAt] != "" {
				annotated++
			}
		}
		if annotated != objects {
			return fmt.Errorf("%d are", annotated)
		}
		return nil
	})
	t.Logf("answered after %s, %d objects annotated after %s", median(answers), objects, time.Since(begin))
}
