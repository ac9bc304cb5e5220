package hook

import (
	"net/http"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// Explanation is how a call ends, and why.
type Explanation struct {
	// Receiver is the one that is called; nil if none is.
	Receiver *v1.Receiver
	// Event is what the sender calls it; empty if the call is not authentic, or its type names none.
	Event string
	// PreviousToken says that the path is that of the token which is being replaced.
	PreviousToken bool
	// Outcome is as metrics name it, Status and Answer are what the caller gets.
	Outcome string
	Status  int
	Answer  string
	// Cause is what the log says of it, and not the caller; nil if there is no more to say.
	Cause error
}

// Explain takes a call through the same stages as [Hook.Handler] does, and tells more of it than a caller may know. The
// objects to annotate go to the queue, as ever.
func (h *Hook) Explain(r *http.Request) Explanation {
	c := &call{at: time.Now(), typ: source.Type{Name: UnknownType}}
	v := h.handle(c, nil, r)
	e := Explanation{
		Receiver: c.receiver, PreviousToken: c.previous,
		Outcome: v.outcome, Status: status(v.outcome), Answer: v.text, Cause: v.cause,
	}
	if c.result != nil {
		e.Event = c.result.Event
	}
	return e
}
