// Package version tells which build this is.
package version

import "runtime/debug"

// release is set by the linker: make build VERSION=v1.2.3. The sources of a release may come without their history.
var release string

// Version of the build: what it was given, else that of the module, else the commit it was made from.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return "devel"
}
