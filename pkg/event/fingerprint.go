package event

import "crypto/sha256"

// Fingerprint is the SHA-256 of what makes two events the same notification: object, message, revisions and token.
// It expects metadata as [Clean] leaves it. Severity, reason, UID, time and sender do not count.
func Fingerprint(e *Event) [sha256.Size]byte {
	text := make([]byte, 0, fingerprintRoom+len(e.Message))
	write := func(parts ...string) {
		for _, part := range parts {
			text = append(text, part...)
		}
	}
	write("event/name=", e.InvolvedObject.Name, "/namespace=", e.InvolvedObject.Namespace,
		"/kind=", e.InvolvedObject.Kind, "/message=", e.Message)
	for _, name := range []string{KeyOriginRevision, KeyRevision, KeyToken} {
		if value, ok := e.Metadata[e.groupKey(name)]; ok {
			write("/", name, "=", value)
		}
	}
	return sha256.Sum256(text)
}

// fingerprintRoom is enough for what counts besides the message, most of the time.
const fingerprintRoom = 256
