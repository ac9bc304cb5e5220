#!/usr/bin/env bash
# Gets the programs that tests talk to, unless they are there already, and prints the folder that holds them. They come
# out of Debian's packages, but are only unpacked into the cache: no package is installed, no service started. To have
# newer ones, remove the folder.
set -euo pipefail

packages=(nats-server prometheus-alertmanager prometheus)
programs=(nats-server prometheus-alertmanager promtool)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/notification-controller/peers
dir=$cache/bin
# Debian's Alertmanager does not start without these templates, which have to be where the package has them.
templates=/usr/share/prometheus/alertmanager
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [[ -d $dir && -e $templates/default.tmpl ]]; then
	echo "peers: ${programs[*]} are in $dir" >&2
	echo "$dir"
	exit
fi
for tool in apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || { echo "peers: $tool is missing: this needs Debian, or what is made of it" >&2; exit 1; }
done

building=$(mktemp -d "$cache/building-XXXXXX")
trap 'rm -rf "$building"' EXIT
cd "$building"

echo "peers: unpacking Debian's ${packages[*]} into $cache; no package is installed, no service started" >&2
download() { apt-get -q download "${packages[@]}" >&2; }
if ! download; then
	echo "peers: the list of packages is missing or old; fetching it, which only root can" >&2
	apt-get -q update >&2
	download
fi
for package in *.deb; do
	dpkg-deb -x "$package" .
	echo "peers: $(dpkg-deb -f "$package" Package Version | paste -s -d ' ')" >&2
done
if [[ ! -e $templates/default.tmpl ]]; then
	echo "peers: copying templates to $templates, which needs root" >&2
	install -D -m 644 -t "$templates" ".$templates"/*.tmpl
fi
mkdir bin
for program in "${programs[@]}"; do
	mv usr/*bin/"$program" bin/
	# What it was linked with may be missing.
	bin/"$program" --version >/dev/null 2>&1 || { echo "peers: $program does not start" >&2; exit 1; }
done
rm -rf "$dir"
mv -T bin "$dir"
echo "peers: ${programs[*]} are in $dir" >&2
echo "$dir"
