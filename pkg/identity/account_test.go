package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// TestTokenOfEditedAccount checks when an edit of a ServiceAccount has a new token fetched, and what it costs to see one.
func TestTokenOfEditedAccount(t *testing.T) {
	const (
		unchanged = "0"
		edited    = "1"
		recreated = "2"
		deleted   = "deleted"
		down      = "down"
	)
	synctest.Test(t, func(t *testing.T) {
		state, reads := unchanged, 0
		client := &fake.Clientset{}
		client.AddReactor("get", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
			reads++
			switch state {
			case deleted:
				return true, nil, apierrors.NewNotFound(corev1.Resource("serviceaccounts"), "deployer")
			case down:
				return true, nil, errors.New("connection refused")
			default:
				return true, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{UID: "uid", ResourceVersion: state}}, nil
			}
		})
		b := New(Options{Accounts: client.CoreV1(), MaxTokens: 10, MaxAge: time.Hour})
		i := b.For(provider.Object{Namespace: "apps", Name: "prov"}, "deployer", nil, "").(*identity)
		fetches := 0
		fetch := func(context.Context) (provider.Token, error) {
			fetches++
			return provider.Token{Value: fmt.Sprint("token-", fetches), Expires: time.Now().Add(time.Hour)}, nil
		}
		for _, step := range []struct {
			wait  time.Duration
			state string
			// forget has the service refuse the token before.
			forget bool
			// want is a token, or what the error says.
			want  string
			reads int
		}{
			{0, unchanged, false, "token-1", 1},
			{accountAge - time.Second, edited, false, "token-1", 0},
			{time.Second, edited, false, "token-2", 1},
			{time.Second, edited, false, "token-2", 0},
			{minForgetAge - 2*time.Second, edited, true, "token-2", 0},
			{time.Second, edited, true, "token-3", 1},
			{accountAge, down, false, "token-3", 1},
			{accountAge - time.Second, down, false, "token-3", 0},
			{time.Second, edited, false, "token-3", 1},
			{accountAge, deleted, false, "no ServiceAccount", 1},
			{0, deleted, false, "no ServiceAccount", 1},
			{0, down, false, "connection refused", 1},
			{0, recreated, false, "token-4", 1},
		} {
			time.Sleep(step.wait)
			state, reads = step.state, 0
			if step.forget {
				i.forget(cloudAzure, "scope")
			}
			got, err := i.token(t.Context(), fetch, cloudAzure, "scope")
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, step.want) || reads != step.reads {
				t.Errorf("%+v: got %q by %d reads", step, got, reads)
			}
		}
	})
}
