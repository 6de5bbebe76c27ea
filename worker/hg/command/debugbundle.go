// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"

	"hgbroker/worker/hg/bundle"
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
)

var debugbundleSpec = Spec{
	Name: "debugbundle",
	Options: func() []Option {
		return native(cmdline.Flag("a", "all"), cmdline.Words("", "part-type"),
			cmdline.Flag("", "spec"))
	},
	Run: runDebugbundle,
}

// maxPart bounds the payload of a part that is read whole, in bytes.
const maxPart = 1 << 30

// bundleShow is one run. What it prints is held back until the whole bundle was
// read: what hg says of a damaged one is hg's.
type bundleShow struct {
	*Context
	all bool
	out bytes.Buffer
}

// runDebugbundle lists what is in a bundle file.
func runDebugbundle(c *Context) (int, error) {
	if len(c.Args) != 1 {
		return 0, unsupported("debugbundle without one file")
	}
	if c.Debug {
		return 0, unsupported("debugbundle --debug")
	}
	path := c.Args[0]
	if path == "" || strings.Contains(path, ":") {
		return 0, unsupported("debugbundle of an address")
	}
	f, err := os.Open(c.absolute(path))
	if err == nil {
		defer f.Close()
		var fi os.FileInfo
		if fi, err = f.Stat(); err == nil && fi.IsDir() {
			err = &os.PathError{Err: syscall.EISDIR}
		}
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, hgerr.Abortf(hgerr.Other, "No such file or directory: '%s'", path)
	case errors.Is(err, syscall.EISDIR):
		return 0, hgerr.Abortf(hgerr.Other, "Is a directory: '%s'", path)
	case err != nil:
		return 0, unsupported("debugbundle of a file that cannot be read")
	}
	s := &bundleShow{Context: c, all: c.Opts.On("all")}
	b, err := bundle.Open(f)
	if err == nil {
		if c.Opts.On("spec") {
			err = s.spec(b)
		} else {
			err = s.show(b)
		}
	} else {
		err = s.refused(b, err, path)
	}
	if err != nil {
		var a *hgerr.Abort
		if errors.As(err, &a) || hgerr.IsUnsupported(err) || c.Err() != nil {
			return 0, err
		}
		return 0, unsupported("debugbundle of a damaged bundle: %v", err)
	}
	c.Print(s.out.String())
	return 0, nil
}

// refused is what hg says of a file that is no bundle it knows.
func (s *bundleShow) refused(b *bundle.Bundle, err error, path string) error {
	var short *bundle.ShortError
	spec := s.Opts.On("spec")
	if spec {
		path = "stream"
	}
	switch {
	case errors.As(err, &short):
		return hgerr.Abortf(hgerr.Other, "stream ended unexpectedly (got %d bytes, expected %d)", short.Got, short.Want)
	case errors.Is(err, bundle.ErrNoBundle), errors.Is(err, bundle.ErrHeadless) && !spec:
		return hgerr.Abortf(hgerr.Other, "%s: not a Mercurial bundle", path)
	case errors.Is(err, bundle.ErrCompression) && b.Version == "10":
		return hgerr.Abortf(hgerr.Other, "unknown stream compression type: %s", b.Compression)
	case errors.Is(err, bundle.ErrVersion) && b.Version[0] == '2':
		return hgerr.Abortf(hgerr.Other, "unknown bundle version %s", b.Version)
	case errors.Is(err, bundle.ErrVersion):
		return hgerr.Abortf(hgerr.Other, "%s: unknown bundle version %s", path, b.Version)
	}
	return err
}

func (s *bundleShow) printf(format string, args ...any) { fmt.Fprintf(&s.out, format, args...) }

func (s *bundleShow) show(b *bundle.Bundle) error {
	switch b.Kind {
	case bundle.Store:
		return unsupported("debugbundle of a store's files, of which hg dies")
	case bundle.Changegroup:
		return s.group(b.Group(), "")
	}
	params := map[string]string{}
	for _, p := range b.Params {
		if !p.HasValue {
			return unsupported("debugbundle of a parameter without a value, of which hg dies")
		}
		params[p.Key] = p.Value
	}
	s.printf("Stream params: %s\n", quasiDict(params))
	wanted := s.Opts.List("part-type")
	for {
		p, err := b.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Err(); err != nil {
			return err
		}
		if len(wanted) > 0 && !slices.Contains(wanted, p.Type) {
			continue
		}
		if err := s.part(p); err != nil {
			return err
		}
	}
}

// quasiDict shows parameters by their keys.
func quasiDict(params map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(params)) {
		words = append(words, key+": "+params[key])
	}
	return "{" + strings.Join(words, ", ") + "}"
}

func (s *bundleShow) part(p *bundle.Part) error {
	params := map[string]string{}
	for _, have := range p.Params {
		params[have.Key] = have.Value
	}
	mandatory := "False"
	if p.Mandatory {
		mandatory = "True"
	}
	s.printf("%s -- %s (mandatory: %s)\n", p.Type, quasiDict(params), mandatory)
	switch {
	case p.Type == "changegroup":
		version, ok := p.Param("version")
		if !ok {
			version = "01"
		}
		g, err := bundle.NewGroup(p, version, s.At72())
		if err != nil || s.Quiet {
			return err
		}
		return s.group(g, "    ")
	case s.Quiet:
		return nil
	case p.Type == "obsmarkers":
		return s.markers(p)
	case p.Type == "phase-heads":
		return s.phaseHeads(p)
	}
	return nil
}

// group lists the changesets of a changegroup, or all its deltas.
func (s *bundleShow) group(g *bundle.Group, indent string) error {
	if !s.all {
		return s.deltas(g, func(d bundle.Delta) error {
			s.printf("%s%s\n", indent, d.Node)
			return nil
		})
	}
	s.printf("%sformat: id, p1, p2, cset, delta base, len(delta)\n", indent)
	list := func(name string) error {
		s.printf("\n%s%s\n", indent, name)
		return s.deltas(g, func(d bundle.Delta) error {
			if d.FullText {
				return unsupported("debugbundle --all of a text that is no delta, of which hg dies")
			}
			s.printf("%s%s %s %s %s %s %d\n", indent, d.Node, d.P1, d.P2, d.Changeset, d.Base, d.Size)
			return nil
		})
	}
	for _, name := range []string{"changelog", "manifest"} {
		if err := list(name); err != nil {
			return err
		}
	}
	for {
		name, ok, err := g.Name()
		if err != nil || !ok {
			return err
		}
		if err := list(name); err != nil {
			return err
		}
	}
}

func (s *bundleShow) deltas(g *bundle.Group, each func(bundle.Delta) error) error {
	for {
		d, ok, err := g.Delta()
		if err != nil || !ok {
			return err
		}
		if err := each(d); err != nil {
			return err
		}
	}
}

func (s *bundleShow) payload(p *bundle.Part) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(p, maxPart+1))
	if err == nil && len(data) > maxPart {
		err = unsupported("debugbundle of a part of more than %d bytes", maxPart)
	}
	return data, err
}

// markers lists obsolescence markers.
func (s *bundleShow) markers(p *bundle.Part) error {
	data, err := s.payload(p)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return errors.New("no markers")
	}
	store, err := obsolete.Parse(data)
	if err != nil {
		return err
	}
	s.printf("    version: %d (%d bytes)\n", data[0], len(data))
	list := make([]obsolete.Marker, store.Len())
	for i := range list {
		list[i] = store.Marker(uint32(i))
	}
	slices.SortStableFunc(list, compareMarkers)
	fm, err := s.formatter("debugobsolete", nil)
	if err != nil {
		return err
	}
	if !fm.IsPlain() {
		return unsupported("debugbundle of markers through a template")
	}
	for _, m := range list {
		fm.StartItem()
		fm.Plain("    ")
		showMarker(fm, m)
	}
	if err := fm.End(); err != nil {
		return err
	}
	s.out.Write(fm.buf.Bytes())
	fm.buf.Reset()
	return nil
}

// phaseHeads lists the heads of each phase: 4 bytes of a phase and 20 of a node
// for each.
func (s *bundleShow) phaseHeads(p *bundle.Part) error {
	data, err := s.payload(p)
	if err != nil {
		return err
	}
	heads := map[phases.Phase][]node.ID{}
	all := []phases.Phase{phases.Public, phases.Draft, phases.Secret, phases.Archived, phases.Internal}
	for ; len(data) > 0; data = data[4+node.Size:] {
		if len(data) < 4+node.Size {
			return errors.New("phase heads that end early")
		}
		phase := phases.Phase(data[3])
		if data[0]|data[1]|data[2] != 0 || !slices.Contains(all, phase) {
			return errors.New("a head of an unknown phase")
		}
		heads[phase] = append(heads[phase], node.ID(data[4:4+node.Size]))
	}
	for _, phase := range all {
		for _, id := range heads[phase] {
			s.printf("    %s %s\n", id, phase)
		}
	}
	return nil
}

// compressionNames are the names of compressions in a bundle's specification.
var compressionNames = map[string]string{"UN": "none", "GZ": "gzip", "BZ": "bzip2", "ZS": "zstd"}

// spec prints how `hg bundle --type` would make the same.
func (s *bundleShow) spec(b *bundle.Bundle) error {
	switch b.Kind {
	case bundle.Changegroup:
		s.printf("%s-v1\n", compressionNames[b.Compression])
		return nil
	case bundle.Store:
		_, _, requirements, err := b.StoreHead()
		if err != nil {
			return err
		}
		s.printf("none-packed1;%s\n", requirementsParam(strings.Split(requirements, ",")))
		return nil
	}
	version := ""
	params := map[string]string{}
	for {
		p, err := b.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := s.Err(); err != nil {
			return err
		}
		switch {
		case p.Type == "changegroup":
			group, ok := p.Param("version")
			if !ok || group != "01" && group != "02" && group != "03" && !(group == "04" && s.At72()) {
				return unsupported("debugbundle --spec of a changegroup of version %q", group)
			}
			version = "v2"
			if group > "02" {
				params["cg.version"] = quoteParam(group)
			}
			if packed, ok := p.Param("delta-compression"); ok && s.At72() {
				words := strings.Split(packed, ",")
				for i := range words {
					words[i] = quoteParam(words[i])
				}
				params["cg.delta-compression"] = strings.Join(words, ",")
			}
		case version == "" && (p.Type == "stream2" || p.Type == "stream3-exp" && s.At72()):
			return s.streamSpec(p)
		case p.Type == "obsmarkers":
			params["obsolescence"] = "yes"
			if !p.Mandatory {
				params["obsolescence-mandatory"] = "no"
			}
		}
	}
	if version == "" {
		if !s.At72() {
			return hgerr.Abortf(hgerr.Other, "could not identify changegroup version in bundle")
		}
		version = "v2"
		params["changegroup"] = "no"
	}
	s.printf("%s-%s", compressionNames[b.Compression], version)
	for _, key := range slices.Sorted(maps.Keys(params)) {
		s.printf(";%s=%s", key, params[key])
	}
	s.printf("\n")
	return nil
}

// streamSpec is the specification of a bundle of a store's files.
func (s *bundleShow) streamSpec(p *bundle.Part) error {
	requirements, ok := p.Param("requirements")
	if !ok {
		return errors.New("a stream without requirements")
	}
	requirements = bundle.Unquote(requirements)
	words := strings.Fields(requirements)
	// hg has a comma-separated list there, and splits at blanks.
	format := strings.TrimPrefix(p.Type, "stream")
	s.printf("none-v2;stream=v%s;%s", format, requirementsParam(words))
	if print, ok := p.Param("store-fingerprint"); ok && s.At72() && p.Type == "stream2" {
		s.printf(";store-fingerprint=%s", print)
	}
	s.printf("\n")
	return nil
}

func requirementsParam(words []string) string {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "shared" })
	slices.Sort(words)
	return "requirements%3D" + quoteParam(strings.Join(slices.Compact(words), ","))
}

// quoteParam is Python's quote: everything but letters, digits and "_.-~/".
func quoteParam(s string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~", "%2F", "/").Replace(url.QueryEscape(s))
}
