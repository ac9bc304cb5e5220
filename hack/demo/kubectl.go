package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const (
	// requestedAt is what a webhook leads to, as kubectl's JSONPath.
	requestedAt = `{.metadata.annotations.reconcile\.fluxcd\.io/requestedAt}`
	// pollInterval is the time between two looks.
	pollInterval = 100 * time.Millisecond
)

// kubectl runs commands and prints what they say.
func kubectl(ctx context.Context, commands ...string) error {
	for _, command := range commands {
		said, err := output(ctx, command)
		if err != nil {
			return err
		}
		say("$ kubectl %s\n%s", command, said)
	}
	return nil
}

// output runs a command, whose arguments are separated by spaces, and returns what it prints.
func output(ctx context.Context, command string) (string, error) {
	out, err := exec.CommandContext(ctx, "kubectl", strings.Fields(command)...).Output()
	if cause := ctx.Err(); cause != nil {
		return "", cause // rather than that it was killed for it
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("kubectl %s: %w: %s", command, err, exit.Stderr)
	}
	return string(out), err
}

// poll waits until a field of an object is there, and returns it.
func poll(ctx context.Context, object, field string) (string, error) {
	for {
		value, err := output(ctx, "get "+object+" --output=jsonpath="+field)
		if err != nil {
			return "", fmt.Errorf("wait for %s of %s: %w", field, object, err)
		}
		if value != "" {
			return value, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s has no %s: %w", object, field, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}
