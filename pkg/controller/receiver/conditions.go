package receiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// maxMessage is the longest message that the schema of a condition takes, in characters; counted in bytes here.
const maxMessage = 32768

func isReady(r *v1.Receiver) bool {
	return meta.IsStatusConditionTrue(r.Status.Conditions, notification.ConditionReady)
}

// markReady says that the Receiver does its job.
func markReady(r *v1.Receiver, message string, now time.Time) {
	set(r, notification.ConditionReady, metav1.ConditionTrue, notification.ReasonSucceeded, message, now)
	meta.RemoveStatusCondition(&r.Status.Conditions, notification.ConditionStalled)
	meta.RemoveStatusCondition(&r.Status.Conditions, notification.ConditionReconciling)
	r.Status.ObservedGeneration = r.Generation
}

// markRetrying says that an attempt failed and will be made again.
func markRetrying(r *v1.Receiver, reason, message string, now time.Time) {
	set(r, notification.ConditionReady, metav1.ConditionFalse, reason, message, now)
	set(r, notification.ConditionReconciling, metav1.ConditionTrue, notification.ReasonProgressingWithRetry, "Reconciliation in progress", now)
	meta.RemoveStatusCondition(&r.Status.Conditions, notification.ConditionStalled)
}

// markStalled says that only an edit can help.
func markStalled(r *v1.Receiver, reason, message string, now time.Time) {
	set(r, notification.ConditionReady, metav1.ConditionFalse, reason, message, now)
	set(r, notification.ConditionStalled, metav1.ConditionTrue, reason, message, now)
	meta.RemoveStatusCondition(&r.Status.Conditions, notification.ConditionReconciling)
	r.Status.ObservedGeneration = r.Generation
}

// set puts a condition into the status and keeps its transition time as long as it says the same.
func set(r *v1.Receiver, kind string, status metav1.ConditionStatus, reason, message string, now time.Time) {
	next := metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: cut(message), ObservedGeneration: r.Generation,
		LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	}
	conditions := slices.DeleteFunc(slices.Clone(r.Status.Conditions), func(c metav1.Condition) bool {
		if c.Type != kind {
			return false
		}
		if c.Status == status && c.Reason == reason && c.Message == next.Message {
			next.LastTransitionTime = c.LastTransitionTime
		}
		return true
	})
	r.Status.Conditions = append(conditions, next)
	slices.SortStableFunc(r.Status.Conditions, compare)
}

// compare orders conditions as Flux shows them: Stalled, Reconciling, Ready, then any others.
func compare(a, b metav1.Condition) int {
	rank := func(c metav1.Condition) int {
		i := slices.Index([]string{notification.ConditionStalled, notification.ConditionReconciling, notification.ConditionReady}, c.Type)
		if i < 0 {
			return 3
		}
		return i
	}
	return cmp.Or(rank(a)-rank(b), cmp.Compare(b.ObservedGeneration, a.ObservedGeneration), cmp.Compare(a.Type, b.Type))
}

// cut shortens a message to what the schema takes.
func cut(message string) string {
	const tail = "..."
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage-len(tail)], "") + tail
}
