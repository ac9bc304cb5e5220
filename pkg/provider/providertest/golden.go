package providertest

import (
	"os"
	"testing"
)

// updateVariable is the environment variable that has golden files written instead of compared.
const updateVariable = "UPDATE_GOLDEN"

// Golden compares got with a file, byte for byte but for a newline at the file's end. With UPDATE_GOLDEN=1 in the
// environment it writes the file instead: look at the difference then.
func Golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if os.Getenv(updateVariable) != "" {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s differs (%s=1 rewrites it)\ngot:  %s\nwant: %s", file, updateVariable, got, want)
	}
}
