package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const indent = "    "

// say prints what has happened in a step. It is one write, since the sink prints at the same time.
func say(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	fmt.Print(indent + strings.ReplaceAll(text, "\n", "\n"+indent) + "\n")
}

// pretty returns JSON on several lines, and anything else as it is.
func pretty(body []byte) string {
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		return string(body)
	}
	return indented.String()
}
