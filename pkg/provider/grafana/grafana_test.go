package grafana

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

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
		if tags[len(tags)-2] != "name: "+e.InvolvedObject.Name {
			t.Errorf("the name is not whole: %q", tags)
		}
	}
	if tags := tags(&one); !strings.HasSuffix(tags[2], provider.Ellipsis) || size(tags)+len("[]")-len(",") > maxTags {
		t.Errorf("tags %q", tags)
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "/planted"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "http://grafana", Token: "planted\n"}, `"token"`)
}
