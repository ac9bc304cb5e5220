package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// maxFile is the longest file that is read.
const maxFile = 64 << 20

// input is what the files hold.
type input struct {
	events, objects []document
	// calls are webhooks as HTTP/1.1 has them on the wire.
	calls []document
}

// document is one of a file.
type document struct {
	file string
	// content is JSON, but for calls.
	content []byte
}

// header is what tells documents apart.
type header struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	InvolvedObject map[string]any   `json:"involvedObject"`
	Items          []map[string]any `json:"items"`
}

// readFiles reads what the flag names. Of directories these are the files ending in .yaml, .yml and .json.
func (o *options) readFiles() (*input, error) {
	in := &input{}
	for _, name := range o.files {
		if name == "-" {
			if err := in.add("stdin", o.In); err != nil {
				return nil, err
			}
			continue
		}
		files, err := o.expand(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := in.addFile(file); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

// expand lists the files that a name stands for.
func (o *options) expand(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var files []string
	err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != name && !o.recursive:
			return fs.SkipDir
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

func (in *input) addFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return in.add(name, file)
}

// requestLine begins an HTTP request. Files for editors leave the version out.
var requestLine = regexp.MustCompile(`^[A-Z]+ \S+( HTTP/1\.[01])?\r?\n`)

func (in *input) add(name string, r io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case len(content) > maxFile:
		return fmt.Errorf("%s is longer than %d MiB", name, maxFile>>20)
	case requestLine.Match(content):
		in.calls = append(in.calls, document{name, content})
		return nil
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = in.addDocument(name, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// addDocument takes an event, an object or a list of objects. A document of comments only is none.
func (in *input) addDocument(file string, text []byte) error {
	content, err := yaml.YAMLToJSON(text)
	if err != nil {
		// What the parser says may quote a Secret.
		return errors.New("neither YAML nor JSON")
	}
	if string(content) == "null" {
		return nil
	}
	var h header
	if yaml.Unmarshal(content, &h) != nil {
		return errors.New("neither an event nor a Kubernetes object")
	}
	switch {
	case h.Kind == "" && h.InvolvedObject != nil:
		in.events = append(in.events, document{file, content})
	case h.Kind == "":
		return errors.New(`neither an event, which has the field "involvedObject", nor a Kubernetes object, which has a "kind"`)
	case strings.HasSuffix(h.Kind, "List") && h.Metadata.Name == "":
		return in.addItems(file, h.Items)
	default:
		in.objects = append(in.objects, document{file, content})
	}
	return nil
}

func (in *input) addItems(file string, items []map[string]any) error {
	for _, item := range items {
		content, err := yaml.Marshal(item)
		if err != nil {
			return err
		}
		if err := in.addDocument(file, content); err != nil {
			return err
		}
	}
	return nil
}
