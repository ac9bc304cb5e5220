package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/record"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	sourceregistry "github.com/notification-controller/notification-controller/pkg/source/registry"
)

func newVerify(s Streams) *cobra.Command {
	o := &options{Streams: s}
	var name string
	c := &cobra.Command{
		Use:   "verify -f REQUEST [-f OBJECTS]...",
		Short: "Say whether a webhook would be accepted, and what it would reconcile",
		Long: `Says whether a webhook would be accepted, by which Receiver, and which objects it would reconcile. Nothing is written.

The request is one as HTTP/1.1 has it on the wire: request line, headers, an empty line, and the body, which ends with
the file unless there is a Content-Length. Signatures are over these bytes.`,
		Example: `  notification-controller verify -f request.http
  notification-controller verify -f request.http -f receivers/ --receiver github`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.verify(c.Context(), name) },
	}
	o.addFlags(c)
	c.Flags().StringVar(&name, "receiver", "", "name of the Receiver that is called, in place of the request's path")
	c.Flags().BoolVar(&o.noCrossNamespace, "no-cross-namespace-refs", false, "as the server has it: block references to objects in other namespaces")
	o.addDenyFlag(c)
	return c
}

// webhook is the answer of verify.
type webhook struct {
	// Accepted says that the call would have objects reconciled.
	Accepted bool `json:"accepted"`
	// Outcome is as the server's metrics name it, Status and Answer are what the caller gets.
	Outcome string `json:"outcome"`
	Status  int    `json:"status"`
	Answer  string `json:"answer"`
	// Message is one line for people: what happens, or why nothing does.
	Message  string          `json:"message"`
	Receiver *receiverReport `json:"receiver,omitempty"`
	Event    string          `json:"event,omitempty"`
	// PreviousToken says that the path is that of the token which is being replaced.
	PreviousToken bool           `json:"previousToken,omitempty"`
	Reconciles    []objectReport `json:"reconciles"`
	Notes         []string       `json:"notes,omitempty"`
}

type receiverReport struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Type      string `json:"type"`
}

type objectReport struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func (o *options) verify(ctx context.Context, name string) error {
	in, inv, err := o.read(ctx, receivers)
	if err != nil {
		return err
	}
	if len(in.calls) != 1 {
		return errors.New("-f: exactly one HTTP request is needed, whose first line is such as: POST /hook/… HTTP/1.1")
	}
	call, sized, err := parseCall(ctx, in.calls[0])
	if err != nil {
		return err
	}
	if name != "" {
		r, err := want("Receiver", inv.receivers, inv.namespace, name)
		if err != nil {
			return err
		}
		if r.Status.WebhookPath == "" {
			answer := answerOf(withoutPath(r), nil)
			return o.answer(false, answer, answer.print)
		}
		call.RequestURI = r.Status.WebhookPath
	}
	targets := &targets{}
	h, err := o.newHook(inv, targets)
	if err != nil {
		return err
	}
	e := h.Explain(call)
	answer := answerOf(e, targets.found)
	answer.Notes = append(answer.Notes, inv.notes()...)
	if !sized && e.Outcome == hook.NotAuthentic && bytes.HasSuffix(in.calls[0].content, []byte("\n")) {
		answer.Notes = append(answer.Notes, "the body ends with a line break, which a signature covers: remove it, or add a Content-Length")
	}
	return o.answer(answer.Accepted, answer, answer.print)
}

// withoutPath is what becomes of a call of a Receiver that has no path, to whoever knows an earlier one.
func withoutPath(r *v1.Receiver) hook.Explanation {
	return hook.Explanation{
		Receiver: r, Outcome: hook.NotReady, Status: http.StatusServiceUnavailable, Answer: "not ready, try again later",
		Cause: errors.New("it has no path: " + whyNoPath(r.Status, nil)),
	}
}

// parseCall reads a request, and says whether it tells the length of its body.
func parseCall(ctx context.Context, d document) (call *http.Request, sized bool, err error) {
	line, rest, _ := bytes.Cut(d.content, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	if !bytes.Contains(line, []byte(" HTTP/")) {
		line = append(line[:len(line):len(line)], " HTTP/1.1"...)
	}
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(line), bytes.NewReader([]byte("\r\n")), bytes.NewReader(rest)))
	call, err = http.ReadRequest(reader)
	if err != nil {
		return nil, false, fmt.Errorf("%s: not an HTTP request: %w", d.file, err)
	}
	sized = call.Header.Get("Content-Length") != "" || call.ContentLength < 0
	if !sized {
		body, err := io.ReadAll(reader)
		if err != nil {
			return nil, false, err
		}
		call.Body, call.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	// Some tools have the whole URL in the first line; a server gets its path.
	if u, err := url.Parse(call.RequestURI); err == nil && u.Host != "" {
		call.RequestURI = u.RequestURI()
	}
	return call.WithContext(ctx), sized, nil
}

// newHook is the server's, but that it hands what is to be annotated to targets.
func (o *options) newHook(inv *inventory, targets *targets) (*hook.Hook, error) {
	lookup, err := receiverIndex(inv.receivers)
	if err != nil {
		return nil, err
	}
	egress, err := o.egress()
	if err != nil {
		return nil, err
	}
	client := httpx.NewClient(httpx.Options{Egress: egress})
	return hook.New(hook.Options{
		Receivers:            lookup,
		Secrets:              inv.secrets,
		Types:                sourceregistry.New().Lookup,
		Verifiers:            source.Config{Keys: jwks.NewCache(client, time.Now), Client: client},
		Objects:              inv.named(),
		Queue:                targets,
		Events:               &record.FakeRecorder{},
		Observer:             nobodyCounts{},
		Ready:                func() bool { return true },
		NoCrossNamespaceRefs: o.noCrossNamespace,
		MaxDeliveries:        1,
	}), nil
}

// targets is a [hook.Queue] that writes nothing.
type targets struct{ found []hook.Target }

// Annotate implements [hook.Queue].
func (t *targets) Annotate(_ *v1.Receiver, found []hook.Target, _ time.Time, _ func()) {
	t.found = append(t.found, found...)
}

// nobodyCounts is a [hook.Observer].
type nobodyCounts struct{}

func (nobodyCounts) ObserveWebhook(string, string)         {}
func (nobodyCounts) ObservePreviousToken(string)           {}
func (nobodyCounts) ObserveAnnotate(string, time.Duration) {}

func answerOf(e hook.Explanation, found []hook.Target) webhook {
	w := webhook{
		Accepted: e.Outcome == hook.Accepted,
		Outcome:  e.Outcome, Status: e.Status, Answer: e.Answer,
		Event: e.Event, PreviousToken: e.PreviousToken,
		Message:    e.Answer,
		Reconciles: []objectReport{},
	}
	switch {
	case e.Cause != nil:
		w.Message = oneLine(e.Cause.Error())
	case e.Outcome == hook.UnknownPath:
		w.Message = `no Receiver has the path of the request: "path" prints a Receiver's`
	}
	if e.Receiver != nil {
		w.Receiver = &receiverReport{e.Receiver.Namespace, e.Receiver.Name, e.Receiver.Spec.Type}
	}
	for _, target := range found {
		w.Reconciles = append(w.Reconciles, objectReport{target.Kind, target.Namespace, target.Name})
	}
	return w
}

// print shows the answer to people.
func (a webhook) print(w io.Writer) {
	yes := "no"
	if a.Accepted {
		yes = "yes"
	}
	by := "no Receiver"
	if a.Receiver != nil {
		by = fmt.Sprintf("Receiver '%s/%s' (%s)", a.Receiver.Namespace, a.Receiver.Name, a.Receiver.Type)
	}
	fmt.Fprintf(w, "%s  %s: %s (%d %s)\n", yes, by, a.Message, a.Status, http.StatusText(a.Status))
	for _, object := range a.Reconciles {
		fmt.Fprintf(w, "     reconciles %s %s/%s\n", object.Kind, object.Namespace, object.Name)
	}
	for _, note := range a.Notes {
		fmt.Fprintf(w, "     note: %s\n", note)
	}
}
