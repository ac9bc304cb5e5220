package provider

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

func TestClassify(t *testing.T) {
	throttled := Throttledf(time.Minute, "wait: %w", io.EOF)
	for _, test := range []struct {
		err    error
		kind   Kind
		reason Reason
		after  time.Duration
	}{
		{io.EOF, Transient, ReasonUnclassified, 0},
		{Permanentf(ReasonAuth, "no"), Permanent, ReasonAuth, 0},
		{Transientf(ReasonTimeout, "no"), Transient, ReasonTimeout, 0},
		{throttled, Throttled, ReasonRateLimited, time.Minute},
		{fmt.Errorf("wrapped: %w", throttled), Throttled, ReasonRateLimited, time.Minute},
		{errors.Join(io.EOF, throttled), Throttled, ReasonRateLimited, time.Minute},
		{MissingKey("token"), Permanent, ReasonSecret, 0},
	} {
		got := Classify(test.err)
		if got.Kind != test.kind || got.Reason != test.reason || got.RetryAfter != test.after {
			t.Errorf("%v: got %+v", test.err, got)
		}
	}
	if !errors.Is(throttled, io.EOF) {
		t.Error("the error does not unwrap")
	}
	if got, want := MissingKey("token").Error(), `key "token" of the Secret in spec.secretRef is missing or empty`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
