// SPDX-License-Identifier: GPL-2.0-or-later

package command

import "hgbroker/worker/hg/node"

// readSpecs lists the native commands that only read and are not among the few
// that every client runs.
func readSpecs() []*Spec {
	return append(queueSpecs(), []*Spec{
		&childrenSpec,
		&debugancestorSpec, &debugbundleSpec, &debugcompleteSpec, &debugdataSpec, &debugdateSpec, &debugdirstateSpec, &debugfilesetSpec,
		&debugformatSpec, &debugignoreSpec, &debugindexSpec, &debugindexdotSpec, &debuglabelcompleteSpec, &debugmergestateSpec,
		&debugnamecompleteSpec, &debugobsoleteSpec, &debugpathcompleteSpec, &debugrequirementsSpec, &debugrevspecSpec, &debugsubSpec,
		&debugsuccessorssetsSpec, &debugtemplateSpec, &debugwalkSpec, &grepSpec, &incomingSpec, &locateSpec, &outgoingSpec, &resolveSpec,
		&shelveSpec, &summarySpec, &verifySpec,
	}...)
}

// visible is Single for a command that does not show what is hidden.
func (c *Context) visible(spec, def string) (node.Rev, error) {
	v, err := c.View()
	if err != nil {
		return node.NullRev, err
	}
	if spec == "" {
		return c.Single("", def)
	}
	return c.last(v, spec)
}
