package app

import (
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// Levels of klog's verbosity that the log levels let through: 0 is for operators, up to 4 for debugging. From 8 on, the
// client would log the bodies of its requests and answers, with the Secrets in them.
const (
	debugVerbosity = 4
	traceVerbosity = 7
)

// Names of the loggers of both flows, which are those of Flux: queries for its logs select by them.
const (
	eventLogger    = "event-server"
	receiverLogger = "receiver-server"
)

// levelTrace is below slog's debug level.
const levelTrace = slog.Level(-traceVerbosity)

// parseLevel maps a log level to the lowest slog level that is written; V(n) of klog is the level -n.
func parseLevel(name string) (slog.Level, error) {
	switch name {
	case "trace":
		return levelTrace, nil
	case "debug":
		return -debugVerbosity, nil
	case "info":
		return slog.LevelInfo, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("%q is none of trace, debug, info, error", name)
	}
}

// SetUpLogging makes klog write to w as the options say, with the keys that Flux uses.
func SetUpLogging(w io.Writer, o Options) {
	level, err := parseLevel(o.LogLevel)
	if err != nil {
		level = slog.LevelInfo // Validate has refused it.
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: renameKeys}
	var handler slog.Handler = slog.NewJSONHandler(w, options)
	if o.LogEncoding == "console" {
		handler = slog.NewTextHandler(w, options)
	}
	// There net/http quotes what services say out of turn, which may be a secret.
	log.SetOutput(io.Discard)
	// Contextual, or else klog's own flag would decide what is written, and not the level.
	klog.SetLoggerWithOptions(logr.FromSlogHandler(handler), klog.ContextualLogger(true))
}

// renameKeys turns slog's keys into those of Flux: ts instead of time, and levels in lower case with a trace level.
func renameKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "ts"
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	case slog.LevelKey:
		level, _ := a.Value.Any().(slog.Level)
		a.Value = slog.StringValue(levelName(level))
	}
	return a
}

func levelName(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "error"
	case level >= slog.LevelInfo:
		return "info"
	case level >= -debugVerbosity:
		return "debug"
	default:
		return "trace"
	}
}
