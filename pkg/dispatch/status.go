package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Variables of spec.commitStatusExpr.
const (
	varEvent    = expr.VarEvent
	varProvider = "provider"
	varAlert    = "alert"
)

// maxStatusID is how many bytes an expression may make the name of a status. A notification keeps it while it waits, besides
// what counts as its size. Most hosts show 255 characters of it, or a hash.
const maxStatusID = 1024

// StatusIDs names the commit statuses that notifications set. It is safe for concurrent use.
type StatusIDs struct {
	// Cluster begins the ids that are not a Provider's own; empty for none.
	Cluster string

	compiler *expr.Compiler
	compiled *expr.Cache[compiledStatusID]
	// objects are Providers and Alerts as expressions see them.
	objects *expr.Cache[map[string]any]
}

type compiledStatusID struct {
	text *expr.Text
	err  error
}

// NewStatusIDs returns StatusIDs that know of nothing yet.
func NewStatusIDs() *StatusIDs {
	return &StatusIDs{
		compiler: expr.NewCompiler(varEvent, varProvider, varAlert),
		compiled: expr.NewCache[compiledStatusID](), objects: expr.NewCache[map[string]any](),
	}
}

// Drop forgets a Provider or an Alert that is gone.
func (s *StatusIDs) Drop(uid types.UID) {
	s.compiled.Drop(uid)
	s.objects.Drop(uid)
}

// Check says what is wrong with the expression of a Provider, if it has one. The error is permanent.
func (s *StatusIDs) Check(p *v1beta3.Provider) error {
	if p.Spec.CommitStatusExpr == "" {
		return nil
	}
	if err := s.compile(p).err; err != nil {
		return provider.Permanentf(provider.ReasonConfig, "Provider '%s/%s': %w", p.Namespace, p.Name, err)
	}
	return nil
}

func (s *StatusIDs) compile(p *v1beta3.Provider) compiledStatusID {
	return s.compiled.Get(p, "", func() compiledStatusID {
		text, err := s.compiler.Text("spec.commitStatusExpr", p.Spec.CommitStatusExpr)
		return compiledStatusID{text, err}
	})
}

// ID returns the name of the status that a rendered event sets: what spec.commitStatusExpr makes of it, or else
// kind/name/UID, with the object's kind and name and the first part of the Provider's UID, after the cluster if that is
// asked for.
func (s *StatusIDs) ID(ctx context.Context, e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider) (string, error) {
	if p.Spec.CommitStatusExpr == "" {
		uid, _, _ := strings.Cut(string(p.UID), "-")
		id := e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name + "/" + uid
		if s.Cluster != "" {
			id = s.Cluster + "/" + id
		}
		return strings.ToLower(id), nil
	}
	id, err := s.evaluate(ctx, e, a, p)
	switch {
	case err != nil:
		return "", fmt.Errorf("failed to evaluate the spec.commitStatusExpr CEL expression for the event: Provider '%s/%s': %w", p.Namespace, p.Name, err)
	case len(id) > maxStatusID:
		return "", fmt.Errorf("the result of spec.commitStatusExpr has more than %d bytes: Provider '%s/%s'", maxStatusID, p.Namespace, p.Name)
	case id == "":
		return "", fmt.Errorf("commit status cannot be empty: Provider '%s/%s': the result of spec.commitStatusExpr is", p.Namespace, p.Name)
	}
	return id, nil
}

func (s *StatusIDs) evaluate(ctx context.Context, e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider) (string, error) {
	compiled := s.compile(p)
	if compiled.err != nil {
		return "", compiled.err
	}
	return compiled.text.Eval(ctx, map[string]any{varEvent: eventFields(e), varProvider: s.fields(p), varAlert: s.fields(a)})
}

// object is a Provider or an Alert.
type object interface {
	metav1.Object
	runtime.Object
}

// fields returns an object as its YAML has it.
func (s *StatusIDs) fields(o object) map[string]any {
	return s.objects.Get(o, o.GetResourceVersion(), func() map[string]any {
		// Our own types convert.
		fields, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		return fields
	})
}

// eventFields returns an event as its JSON has it, but for what is beyond the bound in a message.
func eventFields(e *event.Event) map[string]any {
	o := e.InvolvedObject
	fields := map[string]any{
		"involvedObject": withoutEmpty(map[string]string{
			"kind": o.Kind, "namespace": o.Namespace, "name": o.Name, "uid": o.UID,
			"apiVersion": o.APIVersion, "resourceVersion": o.ResourceVersion, "fieldPath": o.FieldPath,
		}),
		"severity":            e.Severity,
		"timestamp":           nil,
		"message":             expr.CutText(e.Message),
		"reason":              e.Reason,
		"reportingController": e.ReportingController,
	}
	if !e.Timestamp.IsZero() {
		fields["timestamp"] = e.Timestamp.UTC().Format(time.RFC3339)
	}
	if e.ReportingInstance != "" {
		fields["reportingInstance"] = e.ReportingInstance
	}
	if len(e.Metadata) > 0 {
		metadata := make(map[string]any, len(e.Metadata))
		for key, value := range e.Metadata {
			metadata[key] = value
		}
		fields["metadata"] = metadata
	}
	return fields
}

func withoutEmpty(values map[string]string) map[string]any {
	kept := map[string]any{}
	for key, value := range values {
		if value != "" {
			kept[key] = value
		}
	}
	return kept
}
