#!/usr/bin/env bash
# Fails if a package imports what it must not know. The two flows (dispatch, hook), the adapters (provider/*, source/*)
# and what all of them use are to stay apart, so that each can be read, tested and changed by itself.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=$(go list -m)
status=0

# Each row: the PACKAGES that it is for, BUT those; the extent, "imports" for what they import themselves, "deps" for all
# that they need; what they NEVER import, UNLESS it is this; the rule. All but extent and rule are regular expressions;
# "-" is none, ADAPTER any package that a registry imports. Tests may import more.
rules() {
	cat <<'EOF'
^pkg/apis/            -       imports  ^(pkg|[^/]+[.][^/]+)/               ^(pkg/apis|k8s[.]io/apimachinery)/  1: the API imports apimachinery only
^pkg/generated/       -       imports  ^pkg/                               ^pkg/(apis|generated)/              1: of our packages, generated code imports the API only
^pkg/event$           -       deps     ^(net/http|k8s[.]io/client-go)(/|$) -                                   2: an event knows nothing of HTTP and Kubernetes
^pkg/.*[.]go$         -       imports  ^(net/http|k8s[.]io/client-go)(/|$) -                                   2: the pure stages know nothing of HTTP and clients
^pkg/provider(/|$)    -       deps     ^pkg/(dispatch|generated)(/|$)      -                                   3: a sender does not know the flow
^pkg/provider(/|$)    -       deps     ^k8s[.]io/(client-go|klog)/         -                                   3: a sender returns errors, and knows neither Kubernetes nor a log
^pkg/source(/|$)      -       deps     ^(pkg/hook$|k8s[.]io/client-go/)    -                                   4: a verifier gets bytes and a secret, and knows neither the flow nor Kubernetes
^pkg/dispatch$        -       deps     ^pkg/hook$                          -                                   5: the flows do not know each other
^pkg/hook$            -       deps     ^pkg/dispatch$                      -                                   5: the flows do not know each other
^pkg/controller(/|$)  -       deps     ^pkg/(dispatch|hook|server)$        -                                   6: controllers know neither flows nor servers
^(cmd|pkg|manifests)  ^pkg/(provider|source)/registry$  imports  ADAPTER  -                                7: only its registry imports an adapter
^(cmd|pkg|manifests)  ^pkg/(app|cli)$  imports  ^pkg/(provider|source)/registry$  -                            7: only app and cli import the registries
^(cmd|pkg|manifests)  ^cmd/   imports  ^pkg/(app|cli)$                     -                                   7: only cmd imports app and cli
^(cmd|pkg|manifests)  ^pkg/(.+/)?[a-z]+test$  imports  ^pkg/(.+/)?[a-z]+test$  -                          7: test kits are for tests and tools
^pkg/(event|expr|httpx|index|message|metrics|objects|ratelimit|secret|server)$  -  deps  ^pkg/(dispatch|hook)$  -      9: what the flows use knows neither
^(cmd|pkg)/           -       imports  ^(text|html)/template$              -                                   of the house: templates call methods by name, for which the linker would keep all exported ones (20 MB)
EOF
}

# "PACKAGE direct IMPORT" and "PACKAGE through DEPENDENCY", and the former also for each file that a rule is for.
imports() {
	local format='{{$p := .ImportPath}}{{range .Imports}}{{$p}} direct {{.}}{{"\n"}}{{end}}{{range .Deps}}{{$p}} through {{.}}{{"\n"}}{{end}}'
	go list -f "$format" ./... | sed "s#$module/##g"
	local file
	for file in pkg/dispatch/match.go pkg/dispatch/render.go; do
		go list -f "{{range .Imports}}$file direct {{.}}{{\"\\n\"}}{{end}}" "$file" | sed "s#$module/##g"
	done
}

all=$(imports)
adapters=$(awk '$1 ~ "^pkg/(provider|source)/registry$" && $2 == "direct" && $3 ~ "^pkg/(provider|source)/" { print $3 }' <<<"$all")
adapters="^($(paste -s -d '|' <<<"$adapters"))\$"
while read -r packages but extent never unless rule; do
	# Where a package breaks a rule by itself, all that it thereby drags in is not news.
	broken=$(awk -v packages="$packages" -v but="$but" -v extent="$extent" -v never="$never" -v unless="$unless" '
		$1 ~ packages && (but == "-" || $1 !~ but) && $3 ~ never && (unless == "-" || $3 !~ unless) {
			if ($2 == "through" && (extent != "deps" || $1 in broken)) next
			broken[$1]
			print $1, ($2 == "direct" ? "imports" : "needs, by way of another package,"), $3
		}' <<<"$all")
	if [[ -n $broken ]]; then
		sed "s#\$# (rule $rule)#" <<<"$broken" >&2
		status=1
	fi
done < <(rules | awk -v adapters="$adapters" '{ sub("ADAPTER", adapters) } 1')

# Each row: a regular expression of source lines, where they may stand, the rule.
forbid() {
	local line=$1 allowed=$2 rule=$3 found
	found=$(grep -rnE --include='*.go' --exclude='*_test.go' "$line" cmd pkg | grep -vE "^($allowed)" || true)
	if [[ -n $found ]]; then
		sed "s#\$# (rule $rule)#" <<<"$found" >&2
		status=1
	fi
}

forbid 'http\.(Client|Transport)\{|new\(http\.(Client|Transport)\)|http\.Default(Client|Transport)|http\.(Get|Head|Post|PostForm)\(' \
	'pkg/httpx/|pkg/([^:]+/)?[a-z]+test/' '8: only httpx makes HTTP clients'
forbid 'os\.Exit\(|\b(k?log)\.(Fatal|Exit|FlushAndExit)' 'cmd/' '8: only cmd ends the process'
forbid '^func init\(\)' 'pkg/generated/' 'of the house: no init functions'

exit $status
