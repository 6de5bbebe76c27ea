// SPDX-License-Identifier: GPL-2.0-or-later

// Command hg is a drop-in for Mercurial's hg; see package dropin.
package main

import (
	"os"

	"hgbroker/clients/hg/dropin"
)

func main() { os.Exit(dropin.Main()) }
