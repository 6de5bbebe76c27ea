// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/store"
)

var debugdirstateSpec = Spec{
	Name: "debugdirstate",
	Options: func() []Option {
		return native(cmdline.Flag("", "nodates"), cmdline.Option{Long: "dates", Default: cmdline.Value{On: true}},
			cmdline.Flag("", "datesort"), cmdline.Flag("", "docket"), cmdline.Flag("", "all"))
	},
	Run: runDebugdirstate,
}

// runDebugdirstate lists the dirstate. --all adds nothing to what hg without its
// parts in Rust has.
func runDebugdirstate(c *Context) (int, error) {
	if len(c.Args) > 0 {
		return 0, unsupported("debugdirstate with arguments")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	v2 := v.Layout.Requirements.Has(requires.DirstateV2)
	if c.Opts.On("docket") {
		if !v2 {
			return 0, hgerr.Abortf(hgerr.Other, "dirstate v1 does not have a docket")
		}
		return 0, c.printDocket(filepath.Join(v.Layout.Dot, "dirstate"))
	}
	if c.Umask == nil {
		return 0, unsupported("the modes of files under an umask that is not known")
	}
	d, err := v.Dirstate()
	if err != nil {
		return 0, err
	}
	order := make([]int, d.Len())
	for i := range order {
		order[i] = i
	}
	if c.Opts.On("datesort") {
		slices.SortStableFunc(order, func(a, b int) int {
			_, _, at := d.Item(a).V1()
			_, _, bt := d.Item(b).V1()
			return cmp.Compare(at, bt)
		})
	}
	dates := c.Opts.On("dates") && !c.Opts.Given("nodates")
	for _, i := range order {
		e := d.At(i)
		mode, size, mtime := e.Item.V1()
		when := "set"
		switch {
		case mtime == -1:
			when = "unset"
		case dates:
			when = time.Unix(int64(mtime), 0).In(c.Local).Format("2006-01-02 15:04:05")
		}
		kind := "lnk"
		if mode&0o20000 == 0 {
			kind = fmt.Sprintf("%3o", uint32(mode)&0o777&^*c.Umask)
		}
		c.Printf("%c %s %10d %-20s%s\n", e.Item.State(), kind, size, when, e.Path)
	}
	copies, shown := d.Copies(), map[string]bool{}
	for _, path := range d.CopyOrder() {
		if source := copies[path]; source != "" && !shown[path] {
			shown[path] = true
			c.Printf("copy: %s -> %s\n", source, path)
		}
	}
	return 0, nil
}

// printDocket shows the small file of a dirstate-v2.
func (c *Context) printDocket(path string) error {
	raw, _, err := store.ReadFile(path)
	if err != nil {
		return err
	}
	d, err := dirstate.ParseDocket(raw)
	if err != nil {
		return err
	}
	if d.UUID == "" {
		return unsupported("the docket of an empty dirstate")
	}
	c.Printf("size of dirstate data: %d\ndata file uuid: %s\nstart offset of root nodes: %d\nnumber of root nodes: %d\n", d.DataSize, d.UUID, d.RootStart, d.RootNodes)
	c.Printf("nodes with entries: %d\nnodes with copies: %d\nnumber of unused bytes: %d\nignore pattern hash: %s\n", d.Entries, d.Copies, d.Unused, hex.EncodeToString(d.IgnoreHash[:]))
	return nil
}
