package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/scheme"
)

const (
	goodReceiver = `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"Receiver","metadata":{"name":"good","namespace":"apps","resourceVersion":"7"},
		"spec":{"type":"github","interval":"5m"},"status":{"webhookPath":"/hook/1"}}`
	badReceiver = `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"Receiver","metadata":{"name":"bad","namespace":"apps"},
		"spec":{"type":"gitlab","interval":"3000000h"},"status":{"webhookPath":"/hook/2","conditions":[{"type":"Ready","lastTransitionTime":"2021-01-01t00:00:00z"}]}}`
)

// newTolerant returns a decoder of our kinds, and what it logs.
func newTolerant() (runtime.Decoder, *strings.Builder) {
	var log strings.Builder
	t := tolerant{
		rest.CodecFactoryForGeneratedClient(scheme.Scheme, scheme.Codecs).WithoutConversion(),
		funcr.New(func(_, line string) { log.WriteString(line + "\n") }, funcr.Options{}),
	}
	info, _ := runtime.SerializerInfoForMediaType(t.SupportedMediaTypes(), runtime.ContentTypeJSON)
	return t.DecoderToVersion(info.Serializer, nil), &log
}

func TestTolerantList(t *testing.T) {
	decoder, log := newTolerant()
	data := `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"ReceiverList","metadata":{"resourceVersion":"42","continue":"next"},"items":[` +
		goodReceiver + "," + badReceiver + "," + goodReceiver + `]}`
	var list v1.ReceiverList
	if _, _, err := decoder.Decode([]byte(data), nil, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 3 || list.ResourceVersion != "42" || list.Continue != "next" {
		t.Fatalf("%d items, %+v", len(list.Items), list.ListMeta)
	}
	if good := list.Items[2]; good.Name != "good" || good.Spec.Interval.Minutes() != 5 || good.Status.WebhookPath != "/hook/1" || good.ResourceVersion != "7" {
		t.Errorf("another object is %+v", good)
	}
	bad := list.Items[1]
	if bad.Name != "bad" || bad.Spec.Type != "gitlab" || bad.Spec.Interval.Duration != longest || bad.Status.WebhookPath != "/hook/2" || len(bad.Status.Conditions) != 0 {
		t.Errorf("the object is %+v", bad)
	}
	for _, field := range []string{`"name"="bad" "field"="spec.interval" "readAs"="876000h0m0s"`, `"field"="status.conditions" "readAs"="nothing"`} {
		if strings.Count(log.String(), field) != 1 {
			t.Errorf("logged %s, want %s once", log, field)
		}
	}
}

// TestTolerantLeavesNothingOver checks that nothing stays of a field that decodes in part before it does not.
func TestTolerantLeavesNothingOver(t *testing.T) {
	const receiver = `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"Receiver","metadata":{"name":"bad"},"spec":{"type":"gitlab"},
		"status":{"conditions":[{"lastTransitionTime":"2021-01-01t00:00:00z","message":"m","type":"Ready"}],"webhookPath":"/hook/2"}}`
	const list = `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"ReceiverList","items":[` + receiver + `]}`
	decoder, _ := newTolerant()
	var one v1.Receiver
	var all v1.ReceiverList
	for data, into := range map[string]runtime.Object{receiver: &one, list: &all} {
		if _, _, err := decoder.Decode([]byte(data), nil, into); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range append(all.Items, one) {
		if r.Name != "bad" || len(r.Status.Conditions) != 0 || r.Status.WebhookPath != "/hook/2" {
			t.Errorf("got %+v", r)
		}
	}
}

// TestTolerantLogIsShort has a value that is as long as an object may be.
func TestTolerantLogIsShort(t *testing.T) {
	decoder, log := newTolerant()
	long := strings.Replace(badReceiver, "3000000h", strings.Repeat("99h", 100_000), 1)
	if _, _, err := decoder.Decode([]byte(long), nil, nil); err != nil || log.Len() == 0 || log.Len() > 2000 {
		t.Errorf("logged %d bytes: %v", log.Len(), err)
	}
}

// TestTolerantOfNoGarbage checks that what is no object stays an error.
func TestTolerantOfNoGarbage(t *testing.T) {
	for _, data := range []string{
		``, `{`, `[]`, `{}`, `null`, `{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"Receiver","metadata":{"name":1}}`,
		`{"apiVersion":"notification.toolkit.fluxcd.io/v1","kind":"ReceiverList","items":[{"kind":"Other"},3]}`,
	} {
		decoder, _ := newTolerant()
		if decoded, _, err := decoder.Decode([]byte(data), nil, nil); err == nil {
			t.Errorf("%s became %+v", data, decoded)
		}
	}
}

// TestOneObjectDoesNotStopTheOthers has users write what the schema takes and Go does not, before the start and after it.
func TestOneObjectDoesNotStopTheOthers(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	objects := func(name string) string {
		return strings.Replace(alertAndProvider(ns, name, "{type: generic, address: '"+s.URL+"/"+name+"', timeout: 200000000m, interval: 3000000h}"),
			"eventSources:", "repeatInterval: 3000000h\n  eventSources:", 1) +
			strings.Replace(githubReceiver(ns, name), "type: github", "type: github\n  interval: 3000000h", 1) +
			secretManifest(ns, name, map[string]string{"token": planted})
	}
	cp.Apply(t, gitRepository(ns, "webapp")+objects("before"))
	cp.Kubectl(t, "-n", ns, "patch", "receiver", "before", "--subresource=status", "--type=merge", "-p",
		`{"status":{"conditions":[{"type":"Ready","status":"True","reason":"R","message":"","lastTransitionTime":"2021-01-01t00:00:00z"}]}}`)
	c := start(t, cp, nil)
	cp.Apply(t, objects("after"))
	for _, name := range []string{"before", "after"} {
		var path string
		eventually(t, "the path of "+name, func() error {
			r, err := c.informers.receiverLister.Receivers(ns).Get(name)
			if err != nil {
				return err
			}
			if ready := meta.FindStatusCondition(r.Status.Conditions, "Ready"); ready == nil || ready.Reason == "R" || ready.Status != "True" {
				return fmt.Errorf("status %+v", r.Status)
			}
			path = r.Status.WebhookPath
			return nil
		})
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted && status != http.StatusOK {
			t.Errorf("%s: status %d: %s", name, status, text)
		}
	}
	c.settle(ns, "before", "after")
	if status, _ := c.post(eventJSON(ns, "from all")); status != http.StatusAccepted {
		t.Errorf("status %d", status)
	}
	s.wait(t, 2, "from all")
	if lines := linesWith(logs.String(), fmt.Sprintf(`"namespace":%q`, ns)); len(linesWith(strings.Join(lines, "\n"), `"field":"spec.repeatInterval"`)) == 0 {
		t.Errorf("no field is named: %s", lines)
	}
}
