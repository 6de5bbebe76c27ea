// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hgbroker/worker/hg/hgerr"
)

// attempts bounds how often Open starts over because hg replaced the data file
// between the reading of the docket and of the data.
const attempts = 5

// Open reads the dirstate in a .hg directory; v2 tells that the repository has
// the requirement dirstate-v2. A missing one is the zero Dirstate's.
func Open(dotHg string, v2 bool) (*Dirstate, error) {
	for try := 1; ; try++ {
		d, err := open(dotHg, v2)
		var damage *hgerr.Damage
		if err == nil || !errors.As(err, &damage) || !damage.Changed || try == attempts {
			return d, err
		}
	}
}

func open(dotHg string, v2 bool) (*Dirstate, error) {
	data, err := os.ReadFile(filepath.Join(dotHg, v1Name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read dirstate: %w", err)
	}
	if !v2 {
		return ParseV1(data)
	}
	docket, err := ParseDocket(data)
	if err != nil {
		return nil, err
	}
	data = nil
	if docket.UUID != "" {
		data, err = os.ReadFile(filepath.Join(dotHg, docket.DataFile()))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &hgerr.Damage{Op: "read", Path: docket.DataFile(), Cause: "is missing", Changed: true}
		}
		if err != nil {
			return nil, fmt.Errorf("read dirstate: %w", err)
		}
	}
	return ParseV2(docket, data)
}
