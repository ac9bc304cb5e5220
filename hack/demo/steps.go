package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	samples   = "manifests/samples"
	eventFile = "hack/demo/testdata/original-event.json"
	pushFile  = "hack/demo/testdata/push.json"
	// settle is how long nothing has to happen to say that it does not happen.
	settle = time.Second
)

// step is one thing to show. It fails if that did not happen.
type step struct {
	title string
	do    func(context.Context) error
}

// demo holds what the steps begin and find out for later ones.
type demo struct {
	// binary is the path of the controller.
	binary string

	sink       *sink
	controller *controller
	// webhookURL is the Receiver's, token what signs the calls.
	webhookURL, token string
	// annotated is the value of the annotation that the push has led to.
	annotated string
}

func (d *demo) steps() []step {
	return []step{
		{"Apply the CRDs, and stand-ins for those of Flux's other controllers", d.applyCRDs},
		{"Start a sink, which stands in for Slack and prints what it is sent", d.startSink},
		{"Apply the samples, with the sink as Slack's address", d.applySamples},
		{"Start notification-controller", d.startController},
		{"Post an event, as kustomize-controller did in 2020 (" + eventFile + ")", d.postEvent},
		{"Push to a repository: GitHub calls the Receiver, signed with the sample token", d.push},
		{"Call the Receiver with a wrong signature", d.pushWithWrongSignature},
	}
}

func (d *demo) applyCRDs(ctx context.Context) error {
	return kubectl(ctx,
		"apply -k manifests/crd",
		"apply -f hack/testdata/crds",
		"wait crd --all --for=condition=Established --timeout=30s",
	)
}

func (d *demo) startSink(context.Context) (err error) {
	d.sink, err = startSink()
	if err == nil {
		say("it listens on %s", d.sink.url)
	}
	return err
}

func (d *demo) applySamples(ctx context.Context) error {
	return kubectl(ctx,
		"apply -k "+samples,
		fmt.Sprintf(`patch secret slack-url --type=merge --patch={"stringData":{"address":%q}}`, d.sink.url),
	)
}

func (d *demo) startController(ctx context.Context) (err error) {
	d.controller, err = startController(ctx, d.binary)
	if err != nil {
		return err
	}
	a := d.controller.addresses
	say("ready: events %s, webhooks %s, metrics %s, probes %s", a.Events, a.Webhooks, a.Metrics, a.Health)
	say("its log: %s", d.controller.log)
	return nil
}

// postEvent posts the event and waits for the message that it becomes. The sink prints it.
func (d *demo) postEvent(ctx context.Context) error {
	began := time.Now()
	if err := call(ctx, d.controller.eventsURL(), eventFile, nil, http.StatusAccepted); err != nil {
		return err
	}
	select {
	case <-d.sink.received:
		say("the message came %s after the event", time.Since(began).Round(time.Millisecond))
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no message came; %s may say why: %w", d.controller.log, ctx.Err())
	}
}

// push makes GitHub's call and waits for the annotation that has Flux fetch the repository.
func (d *demo) push(ctx context.Context) error {
	if err := kubectl(ctx, "wait receiver github --for=condition=Ready --timeout=30s"); err != nil {
		return err
	}
	path, err := output(ctx, "get receiver github --output=jsonpath={.status.webhookPath}")
	if err != nil {
		return err
	}
	d.webhookURL = "http://" + d.controller.addresses.Webhooks + path
	if d.token, err = output(ctx, "get secret github-webhook --output=go-template={{.data.token|base64decode}}"); err != nil {
		return err
	}
	header, err := pushHeader(d.token)
	if err != nil {
		return err
	}
	if err := call(ctx, d.webhookURL, pushFile, header, http.StatusAccepted); err != nil {
		return err
	}
	d.annotated, err = poll(ctx, "gitrepository webapp", requestedAt)
	if err == nil {
		say("GitRepository webapp has the annotation reconcile.fluxcd.io/requestedAt: %s", d.annotated)
	}
	return err
}

func (d *demo) pushWithWrongSignature(ctx context.Context) error {
	header, err := pushHeader("not-" + d.token)
	if err != nil {
		return err
	}
	if err := call(ctx, d.webhookURL, pushFile, header, http.StatusUnauthorized); err != nil {
		return err
	}
	// The annotation would be written after the answer.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settle):
	}
	annotated, err := poll(ctx, "gitrepository webapp", requestedAt)
	if err != nil {
		return err
	}
	if annotated != d.annotated {
		return fmt.Errorf("the annotation has changed from %s to %s", d.annotated, annotated)
	}
	say("GitRepository webapp is as it was")
	return nil
}

// stop ends what the steps have started.
func (d *demo) stop() error {
	var errs []error
	if d.controller != nil {
		errs = append(errs, d.controller.stop())
	}
	if d.sink != nil {
		errs = append(errs, d.sink.stop())
	}
	return errors.Join(errs...)
}
