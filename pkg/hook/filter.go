package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// filterLimit is how long the filters of one call may take for all of its objects together.
const filterLimit = 5 * time.Second

// filters are the compiled filters of a Receiver.
type filters struct {
	// all applies to every object, entries[i] to those of spec.resources[i]; nil where there is none.
	all     *expr.Filter
	entries []*expr.Filter
	any     bool
	// err is why they do not compile.
	err error
}

// compileFilters compiles all filters of a Receiver; claims are there for the type whose callers have a token.
func compileFilters(compilers *expr.ReceiverCompiler, r *v1.Receiver) *filters {
	compiler := compilers.Filters(r.Spec.Type == v1.GenericOIDCReceiver)
	compiled := &filters{entries: make([]*expr.Filter, len(r.Spec.Resources))}
	compile := func(field, expression string) *expr.Filter {
		if expression == "" {
			return nil
		}
		compiled.any = true
		filter, err := compiler.Filter(field, expression)
		compiled.err = errors.Join(compiled.err, err)
		return filter
	}
	compiled.all = compile("spec.resourceFilter", r.Spec.ResourceFilter)
	for i, resource := range r.Spec.Resources {
		compiled.entries[i] = compile(fmt.Sprintf("spec.resources[%d].filter", i), resource.Filter)
	}
	return compiled
}

// callFilter is the filters of a Receiver with what one call gives them to see.
type callFilter struct {
	*filters
	vars map[string]any
}

// prepareFilter compiles the filters, once for each edit of the Receiver, and decodes the payload, if there are any.
func (h *Hook) prepareFilter(c *call) (*callFilter, *verdict) {
	compiled := h.filters.Get(c.receiver, "", func() *filters { return compileFilters(h.compilers, c.receiver) })
	if compiled.err != nil {
		return nil, because(Failed, "a filter of the Receiver is broken", compiled.err)
	}
	filter := &callFilter{filters: compiled}
	if !compiled.any {
		return filter, nil
	}
	request, err := requestOf(c.request.Header, c.result)
	if err != nil {
		return nil, because(Failed, err.Error(), err)
	}
	filter.vars = map[string]any{expr.VarRequest: request, expr.VarClaims: c.result.Claims}
	return filter, nil
}

// errNotAnObject does not quote the body, nor what the decoder says of it.
var errNotAnObject = errors.New("the body is not a JSON object, which the Receiver's filters need")

// requestOf decodes the payload for filters: the first JSON value in it, an object or null, if the Content-Type or the
// verifier says that it is JSON. Anything else is an empty object, as it is in Flux.
func requestOf(header http.Header, result *source.Result) (map[string]any, error) {
	request := map[string]any{}
	if !result.PayloadIsJSON && !isJSON(header.Get("Content-Type")) {
		return request, nil
	}
	if err := json.NewDecoder(bytes.NewReader(result.Payload)).Decode(&request); err != nil {
		return nil, errNotAnObject
	}
	return request, nil
}

// isJSON says whether a Content-Type contains application/json: there may be several, of which those that follow one
// that cannot be parsed do not count.
func isJSON(contentType string) bool {
	for part := range strings.SplitSeq(contentType, ",") {
		mediaType, _, err := mime.ParseMediaType(part)
		if err != nil {
			return false
		}
		if mediaType == "application/json" {
			return true
		}
	}
	return false
}

// apply returns the objects that pass. One whose filter fails does not keep the others from being asked.
func (f *callFilter) apply(ctx context.Context, found []candidate) (passed []Target, problems []error) {
	ctx, cancel := context.WithTimeout(ctx, filterLimit)
	defer cancel()
	for i, c := range found {
		if ctx.Err() != nil {
			left := len(found) - i
			return passed, append(problems, fmt.Errorf("the filters took longer than %s; %d objects were not asked", filterLimit, left))
		}
		ok, err := f.passes(ctx, c)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", c.target, err))
		case ok:
			passed = append(passed, c.target)
		}
	}
	return passed, problems
}

// passes asks the filter for all objects first, then that of the entry.
func (f *callFilter) passes(ctx context.Context, c candidate) (bool, error) {
	var vars map[string]any
	for _, filter := range []*expr.Filter{f.all, f.entries[c.entry]} {
		if filter == nil {
			continue
		}
		if vars == nil {
			resource, err := resourceOf(c)
			if err != nil {
				return false, err
			}
			vars = maps.Clone(f.vars)
			vars[expr.VarResource] = resource
		}
		if ok, err := filter.Eval(ctx, vars); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// resourceOf is an object as filters see it: apiVersion, kind and metadata.
func resourceOf(c candidate) (map[string]any, error) {
	resource, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.metadata)
	if err != nil {
		return nil, fmt.Errorf("convert the metadata: %w", err)
	}
	resource["apiVersion"] = c.apiVersion
	resource["kind"] = c.target.Kind
	return resource, nil
}
