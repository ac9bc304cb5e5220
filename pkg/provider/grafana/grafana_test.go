package grafana

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/api/annotations", Token: "gtok", Username: "u", Password: "p"}
}

func TestAnnotation(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json": providertest.Notification(),
		"testdata/info.json":  providertest.InfoNotification(),
		"testdata/bare.json":  providertest.BareNotification(),
		"testdata/long.json":  providertest.LongNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			r := providertest.Capture(t, New, config, n)[0]
			if r.Method != http.MethodPost || r.Path != "/api/annotations" || r.Header.Get("Authorization") != "Bearer gtok" {
				t.Errorf("%s %s, Authorization %q", r.Method, r.Path, r.Header.Get("Authorization"))
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

func TestAuthorization(t *testing.T) {
	providertest.CheckAuthorization(t, New, map[string]provider.Config{
		"":           {Username: "u"},
		"Basic dTpw": {Username: "u", Password: "p"},
		"Bearer t":   {Token: "t"},
	})
}

func TestColons(t *testing.T) {
	e := event.Event{Metadata: map[string]string{"a:b": "c:d:e"}}
	if tags := tags(&e); tags[2] != "a|b: c|d|e" {
		t.Errorf("tags %q", tags)
	}
}

// TestLimit compares the tags with the limit, as Grafana does: a JSON list without escapes.
func TestLimit(t *testing.T) {
	many := providertest.Notification().Event
	for i := range 100 {
		many.Metadata[fmt.Sprint("key-", i)] = strings.Repeat("é", i)
	}
	one := providertest.Notification().Event
	one.Metadata = map[string]string{"a": strings.Repeat("x", 500)}
	long := providertest.LongNotification().Event
	long.InvolvedObject.Namespace = strings.Repeat("n", 63)
	for _, e := range []event.Event{many, one, long} {
		tags := tags(&e)
		encoded, err := json.Marshal(tags)
		if err != nil || len(encoded) > maxTags {
			t.Errorf("the tags have %d bytes: %v", len(encoded), err)
		}
		if tags[len(tags)-2] != "name: "+provider.CutRunes(e.InvolvedObject.Name, maxTagPart) {
			t.Errorf("the name is not whole: %q", tags)
		}
	}
	if tags := tags(&one); !strings.HasSuffix(tags[2], provider.Ellipsis) || size(tags)+len("[]")-len(",") > maxTags {
		t.Errorf("tags %q", tags)
	}
}

// TestPartLimit finds a key or a value for which Grafana's database has no room.
func TestPartLimit(t *testing.T) {
	long := strings.Repeat("é", 101)
	for _, e := range []event.Event{
		{ReportingController: long},
		{InvolvedObject: event.ObjectReference{Kind: long, Name: "a"}},
		{InvolvedObject: event.ObjectReference{Name: long}},
		{InvolvedObject: event.ObjectReference{Namespace: long}},
		{Metadata: map[string]string{long: "value"}},
		{Metadata: map[string]string{"key": long}},
	} {
		cut := 0
		for _, tag := range tags(&e) {
			key, value, _ := strings.Cut(tag, ": ")
			for _, part := range []string{key, value} {
				if n := utf8.RuneCountInString(part); n > 100 {
					t.Errorf("%d characters: %q", n, part)
				} else if n == 100 {
					cut++
				}
			}
		}
		if cut != 1 {
			t.Errorf("%d parts are cut, want 1: %q", cut, tags(&e))
		}
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "/planted"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "http://grafana", Token: "planted\n"}, `"token"`)
}
