// Package compat holds tests against software of Flux itself: its event recorder, which posts to us; kstatus, by which
// the flux CLI and kustomize-controller tell whether an object is done; and what the flux CLI does on the API.
//
// It is a module of its own, so that none of that gets into the product's go.mod.
package compat
