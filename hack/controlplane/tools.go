//go:build tools

package main

// Keeps the modules that only kubectl needs in go.mod and go.sum: build.sh builds it from this module.
import _ "k8s.io/kubernetes/cmd/kubectl"
