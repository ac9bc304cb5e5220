// Package browser tries the status page in a real browser: Debian's Chromium, without a window. Without it, the tests are
// skipped; make browser installs it.
//
// It is a module of its own, so that what drives the browser does not get into the product's go.mod.
package browser
