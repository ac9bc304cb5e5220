package event

import "testing"

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode([]byte(filled)); err != nil {
			b.Fatal(err)
		}
	}
}

// decoded is an event as it arrives.
func decoded(b *testing.B) *Event {
	e, err := Decode([]byte(filled))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func BenchmarkClean(b *testing.B) {
	e := decoded(b)
	b.ReportAllocs()
	for b.Loop() {
		Clean(e)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	e := decoded(b)
	e.Metadata = Clean(e)
	b.ReportAllocs()
	for b.Loop() {
		Fingerprint(e)
	}
}

func BenchmarkMerge(b *testing.B) {
	e := decoded(b)
	e.Metadata = Clean(e)
	more := map[string]string{"cluster": "prod", "region": "eu"}
	b.ReportAllocs()
	for b.Loop() {
		Merge(e, more, "the shop")
	}
}
