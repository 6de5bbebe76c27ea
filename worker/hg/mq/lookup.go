// SPDX-License-Identifier: GPL-2.0-or-later

package mq

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// Lookup finds the patch of the series that a user means: by its name, its place
// in the series, a part of its name, or the distance from one of these ("part-1").
// It is -1 without one. warn is told about parts that several names have.
func (q *Queue) Lookup(name string, warn func(string)) (int, error) {
	if i := q.Index(name); i >= 0 {
		return i, nil
	}
	none := hgerr.Abortf(hgerr.Other, "patch %s not in series", name)
	if fi, err := os.Stat(filepath.Join(q.Dir, name)); err == nil && fi.Mode().IsRegular() {
		return -1, none
	}
	if n, ok, err := place(name); err != nil {
		return -1, err
	} else if ok && -len(q.Series) <= n && n < len(q.Series) {
		return (n + len(q.Series)) % len(q.Series), nil
	}
	if i := q.partial(name, warn); i >= 0 {
		return i, nil
	}
	for _, sign := range []string{"-", "+"} {
		at := strings.LastIndex(name, sign)
		if at < 0 {
			continue
		}
		i := q.partial(name[:at], warn)
		if i < 0 {
			continue
		}
		off, ok := 1, true
		if rest := name[at+1:]; rest != "" {
			var err error
			if off, ok, err = place(rest); err != nil {
				return -1, err
			}
		}
		switch {
		case !ok:
		case sign == "-" && i-off >= 0:
			if i -= off; i < len(q.Series) {
				return i, nil
			}
			return -1, hgerr.NewUnsupported("a patch behind the end of the series")
		case sign == "+" && i+off < len(q.Series):
			if i += off; i >= 0 {
				return i, nil
			}
			return -1, hgerr.NewUnsupported("a patch in front of the series")
		}
	}
	return -1, none
}

// place reads a number as Python's int does.
func place(text string) (n int, ok bool, err error) {
	if strings.Trim(text, "0123456789+-_"+white) != "" {
		return 0, false, nil
	}
	if strings.ContainsAny(text, "_"+white) || len(text) > 9 {
		return 0, false, hgerr.NewUnsupported("the number %q of a patch", text)
	}
	n, err = strconv.Atoi(text)
	return n, err == nil, nil
}

func (q *Queue) partial(name string, warn func(string)) int {
	if i := q.Index(name); i >= 0 {
		return i
	}
	var found []int
	for i, p := range q.Series {
		if strings.Contains(p.Name, name) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) > 1:
		warn("patch name \"" + name + "\" is ambiguous:\n")
		for _, i := range found {
			warn("  " + q.Series[i].Name + "\n")
		}
		return -1
	case len(found) == 1:
		return found[0]
	case len(q.Applied) == 0 || len(q.Series) == 0:
		return -1
	case name == "qtip":
		return (q.End() - 1 + len(q.Series)) % len(q.Series)
	case name == "qbase":
		return 0
	}
	return -1
}

// Missing are the files beside the patches that are not in the series, sorted.
func (q *Queue) Missing() ([]string, error) {
	var out []string
	err := filepath.WalkDir(q.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // hg's walk passes over what it cannot read, too
		}
		if e.IsDir() {
			return nil
		}
		if e.Type()&fs.ModeSymlink != 0 {
			if fi, err := os.Stat(path); err == nil && fi.IsDir() {
				return nil
			}
		}
		name, err := filepath.Rel(q.Dir, path)
		if err != nil {
			return err
		}
		if q.Index(name) < 0 && !strings.HasPrefix(name, ".") && !slices.Contains([]string{"status", "series", "guards"}, name) {
			out = append(out, name)
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// Queues are the names of all queues, sorted, and that of the active one.
func Queues(dotHg string) (all []string, active string, err error) {
	q, err := Read(dotHg)
	if err != nil {
		return nil, "", err
	}
	active = strings.TrimPrefix(filepath.Base(q.Dir), "patches-")
	text, err := os.ReadFile(filepath.Join(dotHg, "patches.queues"))
	if err != nil {
		return []string{"patches"}, active, nil
	}
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.Trim(line, white); line != "" {
			all = append(all, line)
		}
	}
	if !slices.Contains(all, active) {
		all = append(all, active)
	}
	slices.Sort(all)
	return all, active, nil
}
