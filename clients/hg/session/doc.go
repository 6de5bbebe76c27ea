// SPDX-License-Identifier: GPL-2.0-or-later

// Package session is Mercurial's command server as the drop-in hg serves it: on
// its own pipes, on a unix socket, and on one with chg's requests.
//
// Each command is first given to a worker of hgbroker, which answers natively or
// says that it cannot. Then a real hg does it: a command server of its own that
// is started when it is first needed, with the same arguments, and kept, so that
// its prompts, extensions and hooks work and Python starts once; everything it
// says is passed on byte for byte. For chg it is a real server of chg's.
//
// A session is one process, since clients signal it, and its umask, working
// directory and attached descriptors are its client's. Nothing that a command
// says of itself (--config, --cwd, -R, --encoding) stays for the next.
//
// What hg itself decides is left to it: when the configuration, the locale or
// the command line holds what this package does not understand, hg is asked, or
// takes over as a whole.
package session
