// SPDX-License-Identifier: GPL-2.0-or-later

package mcp_test

import (
	"testing"

	"hgbroker/clients/typescript/nodetest"
)

// TestInNode holds `hgbroker mcp` against the Model Context Protocol's own
// client for Node.
func TestInNode(t *testing.T) { nodetest.Run(t, "mcp") }
