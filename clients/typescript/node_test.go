// SPDX-License-Identifier: GPL-2.0-or-later

package typescript_test

import (
	"testing"

	"hgbroker/clients/typescript/nodetest"
)

// TestInNode runs this package's own tests.
func TestInNode(t *testing.T) { nodetest.Run(t, "typescript") }
