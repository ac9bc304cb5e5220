package manifests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/app"
)

// checkOurs runs the controller, and looks whether it does for all objects what Flux's did.
func (m *migration) checkOurs(t *testing.T, before []unstructured.Unstructured) {
	t.Helper()
	controller := m.runController(t)
	eventually(t, "no finalizers on Alerts, and Receivers to be reconciled", func() error {
		for _, object := range m.objectsIn(t, newest) {
			name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
			if object.GetKind() == "Alert" && slices.Contains(object.GetFinalizers(), finalizer) {
				return fmt.Errorf("%s has the finalizer", name)
			}
			if object.GetKind() == "Receiver" && !readyNow(&object) {
				return fmt.Errorf("%s is not ready: %v", name, object.Object["status"])
			}
		}
		return nil
	})
	m.checkSame(t, before)

	const event = `{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","name":"shop","namespace":"apps"},
"severity":"info","timestamp":"2026-11-22T00:00:00Z","message":"done","reason":"Test","reportingController":"kustomize-controller"}`
	equal(t, "answer to an event", post(t, controller.EventsAddress(), "/", event), http.StatusAccepted)
	for _, object := range before {
		switch object.GetKind() {
		case "Alert":
			eventually(t, "a notification of "+object.GetNamespace(), func() error { return m.sink.got("/" + object.GetNamespace()) })
		case "Receiver":
			// The path is known: what fails is that the call is not signed.
			equal(t, "answer to a call of "+object.GetName(), post(t, controller.ReceiverAddress(), webhookPath(&object), "{}"), http.StatusUnauthorized)
		}
	}
}

// runController runs the controller with the rights that are installed.
func (m *migration) runController(t *testing.T) *app.App {
	t.Helper()
	options := app.DefaultOptions()
	options.EventsAddress, options.ReceiverAddress, options.MetricsAddress, options.HealthAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	options.RuntimeNamespace = controllerNamespace
	options.Kubeconfig = m.TokenConfig(t, controllerNamespace, controllerName)
	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	controller, err := app.New(ctx, options)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- controller.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the controller ended with: %v", err)
		}
	})
	eventually(t, "the controller to be ready", func() error {
		resp, err := http.Get("http://" + controller.HealthAddress() + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	return controller
}

// readyNow says whether this controller, other than the one before it, has found a Receiver ready.
func readyNow(receiver *unstructured.Unstructured) bool {
	path, _, _ := unstructured.NestedString(receiver.Object, "status", "webhookPath")
	conditions, _, _ := unstructured.NestedSlice(receiver.Object, "status", "conditions")
	return path != "" && slices.ContainsFunc(conditions, func(c any) bool {
		condition := c.(map[string]any)
		return condition["type"] == "Ready" && condition["status"] == "True" && condition["observedGeneration"] == receiver.GetGeneration()
	})
}

// post returns the status of the answer.
func post(t *testing.T, address, path, body string) int {
	t.Helper()
	resp, err := http.Post("http://"+address+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("waited in vain for %s: %v", what, last)
	}
}

// sink is a service that notifications are sent to.
type sink struct {
	*httptest.Server
	mutex sync.Mutex
	paths []string
}

func newSink(t *testing.T) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.paths = append(s.paths, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s
}

// got returns an error unless there was a notification for a path.
func (s *sink) got(path string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !slices.Contains(s.paths, path) {
		return fmt.Errorf("none of %q", s.paths)
	}
	return nil
}
