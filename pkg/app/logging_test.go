package app

import (
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/server"
)

// TestLogLevels writes one line at each verbosity. It changes the logger of the process, and so does not run in parallel.
func TestLogLevels(t *testing.T) {
	options := DefaultOptions()
	t.Cleanup(func() {
		options.LogLevel, options.LogEncoding = "trace", "json"
		SetUpLogging(&logs, options)
	})
	if log.Writer() != io.Discard {
		t.Error("what net/http writes to the standard logger is shown")
	}
	for _, tt := range []struct{ level, encoding, want string }{
		{"error", "json", `{"level":"error","msg":"failed"}`},
		{"info", "json", `{"level":"info","msg":"0"} {"level":"error","msg":"failed"}`},
		{"debug", "json", `{"level":"info","msg":"0"} {"level":"debug","msg":"4"} {"level":"error","msg":"failed"}`},
		// Not 8, with which the client logs bodies.
		{"trace", "json", `{"level":"info","msg":"0"} {"level":"debug","msg":"4"} {"level":"trace","msg":"7"} {"level":"error","msg":"failed"}`},
		{"info", "console", `level=info msg=0 level=error msg=failed`},
	} {
		var written syncBuffer
		options.LogLevel, options.LogEncoding = tt.level, tt.encoding
		SetUpLogging(&written, options)
		logger := klog.FromContext(t.Context())
		for _, verbosity := range []int{0, 4, 7, 8} {
			logger.V(verbosity).Info(string(rune('0' + verbosity)))
		}
		logger.Error(nil, "failed")
		var lines []string
		for line := range strings.Lines(written.String()) {
			lines = append(lines, withoutTime(line))
		}
		if got := strings.Join(lines, " "); got != tt.want {
			t.Errorf("%s, %s: got\n%s\nwant\n%s", tt.level, tt.encoding, got, tt.want)
		}
	}
}

// TestLoggerNames has both servers refuse something.
func TestLoggerNames(t *testing.T) {
	var said syncBuffer
	handler := slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.Level(-debugVerbosity)})
	app := offline(klog.NewContext(t.Context(), logr.FromSlogHandler(handler)), t)
	app.ready.Store(true)
	for _, s := range []*server.Server{app.eventServer, app.receiverServer} {
		go func() { _ = s.Serve() }()
		t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	}
	for _, test := range []struct{ url, want string }{
		{"http://" + app.EventsAddress() + "/", `"logger":"event-server"`},
		{"http://" + app.ReceiverAddress() + "/hook/nobody", `"logger":"receiver-server"`},
	} {
		resp, err := http.Post(test.url, "application/json", strings.NewReader("{"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !strings.Contains(said.String(), test.want) {
			t.Errorf("%s does not log with %s: %s", test.url, test.want, said.String())
		}
	}
}

// withoutTime cuts the first field, and what follows the message.
func withoutTime(line string) string {
	line = strings.TrimSpace(line)
	if rest, found := strings.CutPrefix(line, `{"ts":`); found {
		_, rest, _ = strings.Cut(rest, ",")
		rest = strings.Replace(rest, `,"err":null`, "", 1)
		return "{" + rest
	}
	_, rest, _ := strings.Cut(line, " ")
	return strings.Replace(rest, " err=<nil>", "", 1)
}
