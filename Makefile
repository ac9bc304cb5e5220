# What is longer than a few lines is a script in hack/. Go, make, git and bash are all that is needed; with a C
# compiler, which Go's race detector wants, the tests run under it.

.DEFAULT_GOAL := help

FUZZTIME ?= 30s
PLATFORMS ?= linux/amd64 linux/arm64 linux/arm/v7

# What a build calls itself. Empty means what Go finds out: the tag or commit that it is made from.
VERSION ?=
# Flags of hack/bench.
BENCHFLAGS ?=

# Empty where there is no C compiler, without which go test refuses -race.
race = $(shell command -v "$$(go env CC)" >/dev/null && echo -race)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/notification-controller, stripped
	go build -ldflags '-s -w -X $(shell go list -m)/pkg/version.release=$(VERSION)' -o bin/notification-controller ./cmd/notification-controller

.PHONY: release
release: ## Build bin/release for all PLATFORMS, then again to see that it is the same: many minutes
	hack/release.sh bin/release $(PLATFORMS)
	hack/verify-release.sh bin/release $(PLATFORMS)

.PHONY: sbom
sbom: build ## Write bin/sbom.json: what the binary is made of, with licenses, in the format CycloneDX
	go tool -modfile=hack/tools/go.mod cyclonedx-gomod bin -json -licenses -std -noserial -version "$$(git describe --tags --always --dirty)" -output bin/sbom.json bin/notification-controller

.PHONY: run
run: build controlplane ## Show the job on a real API server, then stay up until Ctrl-C; ONCE=1 ends after the last step
	go build -ldflags '-s -w' -o bin/demo ./hack/demo
	@echo; echo '==> 0. Start etcd and kube-apiserver, which takes some seconds'
	@exec "$$(hack/controlplane/build.sh)/controlplane" exec -- bin/demo $(if $(filter-out 0,$(ONCE)),-once)

.PHONY: controlplane
controlplane: ## Build etcd, kube-apiserver and kubectl for run and test: about ten minutes, but only once
	@hack/controlplane/build.sh >/dev/null

.PHONY: gitea
gitea: ## Build the Gitea that the tests of its types talk to, without which they are skipped: some minutes, but only once
	@hack/gitea/build.sh >/dev/null

.PHONY: browser
browser: ## Install Debian's Chromium, in which tests look at the status page, and without which those are skipped
	@command -v chromium >/dev/null || { apt-get -q update && apt-get -q install -y --no-install-recommends chromium; }

.PHONY: peers
peers: ## Unpack the Debian packages of other services that tests talk to, without which those are skipped; installs nothing but two template files
	@hack/peers/install.sh >/dev/null

.PHONY: test
test: controlplane ## Run all tests
	go test $(race) ./...
	go test -C hack/compat ./...
	go test -C hack/browser ./...

.PHONY: verify
verify: ## Check generated files, format, vet, linter, import rules, go.mod files, size and the README's tables
	hack/verify.sh

.PHONY: generate
generate: controlplane ## Write what is generated: deep copies, clients, CRDs, install.yaml and tables of the pages
	hack/update-codegen.sh
	hack/update-crds.sh
	UPDATE_README=1 go test -count=1 -run '^Test((Flags|Metrics)InReadme|PrometheusRule)$$' ./pkg/app
	UPDATE_README=1 go test -count=1 -run '^TestReadme$$' ./pkg/provider/registry ./pkg/source/registry
	hack/update-install.sh

.PHONY: manifests
manifests: controlplane ## Write manifests/install.yaml
	hack/update-install.sh

.PHONY: bench
bench: controlplane ## Run all benchmarks, then measure the whole process on a real API server
	go test -run '^$$' -bench . ./pkg/...
	@# Without the C library, as in an image: it takes memory by itself.
	CGO_ENABLED=0 $(MAKE) build
	go run ./hack/bench $(BENCHFLAGS)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME, by default 30s
	hack/fuzz.sh $(FUZZTIME)

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what is linked; VULNDB=file:///… where vuln.go.dev is out of reach
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(if $(VULNDB),-db $(VULNDB)) ./cmd/...

.PHONY: soak
soak: controlplane ## Run each fuzz target for 10 minutes and all tests ten times, those of faults in full size: hours
	hack/fuzz.sh 10m
	SOAK=1 go test $(race) -count=10 -timeout=6h ./...

.PHONY: clean
clean: ## Remove bin; the built control plane stays in ~/.cache/notification-controller
	rm -rf bin
