package apitest

import (
	"os"
	"strings"
	"testing"
)

// Block is a fenced code block of a Markdown page.
type Block struct {
	// Heading is the text of the last heading above it.
	Heading string
	// Language is what follows the opening fence, such as "yaml" or "sh".
	Language string
	// Text is what stands between the fences, without the indentation that these have, as within a list.
	Text string
	// Line is where the text begins, counted from 1.
	Line int
}

// Blocks returns the code blocks of a Markdown page whose language is given, in order, so that what a page shows can be
// tried as it stands. A page may have none.
func Blocks(t testing.TB, path, language string) []Block {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const fence = "```"
	var blocks []Block
	var heading, indentation string
	var open *Block
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		text := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(text, fence):
			indentation, _, _ = strings.Cut(line, fence)
			open = &Block{Heading: heading, Language: strings.TrimPrefix(text, fence), Line: number + 1}
		case open == nil && strings.HasPrefix(text, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(text, "#"))
		case open != nil && text == fence:
			if open.Language == language {
				blocks = append(blocks, *open)
			}
			open = nil
		case open != nil:
			open.Text += strings.TrimPrefix(line, indentation)
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the code block does not end", path, open.Line)
	}
	return blocks
}

// DryRun has the API server judge a manifest, of one or several objects, without storing it: unknown fields are errors,
// and the namespaces that it names have to be there.
func (c *ControlPlane) DryRun(manifest string) error {
	_, err := c.TryKubectl(manifest, "apply", "--dry-run=server", "--validate=strict", "-f", "-")
	return err
}
