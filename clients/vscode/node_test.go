// SPDX-License-Identifier: GPL-2.0-or-later

package vscode_test

import (
	"testing"

	"hgbroker/clients/typescript/nodetest"
)

// TestInNode runs the extension's own tests: the bundle that is shipped, in a
// window that the tests play, with a real broker.
func TestInNode(t *testing.T) { nodetest.Run(t, "vscode", "typescript") }
