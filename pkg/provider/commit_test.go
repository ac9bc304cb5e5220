package provider

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
)

func TestCommit(t *testing.T) {
	const sha = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"
	const other = "0123456789abcdef0123456789ABCDEF01234567"
	for _, test := range []struct {
		metadata map[string]string
		want     string
		says     string
	}{
		{map[string]string{"revision": "sha1:" + sha}, sha, ""},
		{map[string]string{"revision": "main@sha1:" + sha}, sha, ""},
		{map[string]string{"revision": "feature/x@sha1:" + sha}, sha, ""},
		{map[string]string{"revision": "refs/heads/main@sha1:" + other}, other, ""},
		{map[string]string{"revision": "main/" + sha}, sha, ""},
		{map[string]string{"revision": "feature/x/" + sha}, sha, ""},
		{map[string]string{"revision": "HEAD/" + sha}, sha, ""},
		{map[string]string{"revision": sha}, sha, ""},
		{map[string]string{"revision": "latest@sha256:" + strings.Repeat("a", 64), "originRevision": "main@sha1:" + sha}, sha, ""},
		{map[string]string{"revision": other, "originRevision": other, "commit": sha}, sha, ""},
		{map[string]string{"revision": "main@" + sha}, "", "failed to extract commit hash from 'main@"},
		{map[string]string{"revision": "latest@sha256:" + strings.Repeat("a", 64)}, "", "failed to extract commit hash"},
		{map[string]string{"revision": "main@sha1:" + sha[1:]}, "", "failed to extract commit hash"},
		{map[string]string{"revision": "main@sha1:" + strings.Repeat("ä", 20)}, "", "failed to extract commit hash"},
		{map[string]string{"revision": sha, "commit": ""}, "", "\"commit\""},
		{map[string]string{"revision": strings.Repeat("x", 100_000)}, "", "…"},
		{nil, "", "missing revision metadata"},
	} {
		commit, err := (&Notification{Event: event.Event{Metadata: test.metadata}}).Commit()
		if test.says == "" {
			if err != nil || commit != test.want {
				t.Errorf("%v: got %q, %v", test.metadata, commit, err)
			}
			continue
		}
		if err == nil || Classify(err).Kind != Permanent || !strings.Contains(err.Error(), test.says) || len(err.Error()) > 1000 {
			t.Errorf("%v: error %v, want one that says %q", test.metadata, err, test.says)
		}
	}
}

func TestChangeRequest(t *testing.T) {
	for value, want := range map[string]string{"7": "7", "007": "7", "9223372036854775807": "9223372036854775807", "": "", "x": "", "-1": "", "0": "", "7/../8": ""} {
		n := &Notification{Event: event.Event{Metadata: map[string]string{event.KeyChangeRequest: value}}}
		got, err := n.ChangeRequest()
		if got != want || (err == nil) != (want != "") || err != nil && Classify(err).Kind != Permanent {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
	}
	if _, err := (&Notification{}).ChangeRequest(); err == nil {
		t.Error("no error without a number")
	}
}
