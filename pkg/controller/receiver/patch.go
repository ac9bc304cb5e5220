package receiver

import (
	"context"
	"encoding/json"
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
)

func statusChanged(before, after *v1.Receiver) bool {
	return !apiequality.Semantic.DeepEqual(before.Status, after.Status)
}

// patchStatus writes the status. The resourceVersion makes sure that it is computed from what is there.
func (c *Controller) patchStatus(ctx context.Context, before, after *v1.Receiver) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": before.ResourceVersion},
		// Every field is said, or one that has become empty would keep its value.
		"status": map[string]any{
			"conditions":             after.Status.Conditions,
			"webhookPath":            emptyToNull(after.Status.WebhookPath),
			"previousWebhookPath":    emptyToNull(after.Status.PreviousWebhookPath),
			"url":                    emptyToNull(after.Status.URL),
			"observedGeneration":     after.Status.ObservedGeneration,
			"lastHandledReconcileAt": emptyToNull(after.Status.LastHandledReconcileAt),
		},
	})
	if err != nil {
		return err
	}
	_, err = c.options.Client.Receivers(before.Namespace).Patch(ctx, before.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: controller.FieldManager}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

func emptyToNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
