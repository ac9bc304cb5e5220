package apitest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	content := "# Title\n\n```yaml\na: 1\n```\n\n## Part two\n\n1. In a list:\n\n   ```yaml\n   b:\n     c: 2\n   ```\n\n" +
		"```sh\n# no heading\nls\n```\n```yaml\n```\n"
	if err := os.WriteFile(page, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []apitest.Block{
		{Heading: "Title", Language: "yaml", Text: "a: 1\n", Line: 4},
		{Heading: "Part two", Language: "yaml", Text: "b:\n  c: 2\n", Line: 12},
		{Heading: "Part two", Language: "yaml", Line: 21},
	}
	if got := apitest.Blocks(t, page, "yaml"); !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	shell := apitest.Blocks(t, page, "sh")
	if len(shell) != 1 || shell[0].Text != "# no heading\nls\n" {
		t.Errorf("got %+v", shell)
	}
}
