// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hgbroker/worker/hg/annotate"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/template"
)

func bytesValue(s string) template.Value { return template.Bytes(s) }

func intValue(n int64) template.Value { return template.Int(n) }

// annotateColumn is what annotate shows of each line before its text: by origin,
// but for the line's number, which has nothing here.
type annotateColumn struct {
	name      string
	separator byte
	values    []template.Value
	texts     []string // in plain output
	widths    []int
}

// columns are the columns that options, or names in a template, ask for.
func (a *annotator) columns(found *annotate.Annotation) ([]annotateColumn, error) {
	o := a.c.Opts
	wanted := []struct {
		name   string
		option bool
		get    func(annotate.Origin) (template.Value, string, error)
	}{
		{"user", o.On("user"), a.user},
		{"rev", a.numbered(), a.number},
		{"node", o.On("changeset"), a.node},
		{"date", o.On("date"), a.date},
		{"path", a.named(), func(o annotate.Origin) (template.Value, string, error) {
			return template.Bytes(o.Path), o.Path, nil
		}},
		{"lineno", o.On("line-number"), nil},
	}
	var out []annotateColumn
	for _, w := range wanted {
		if !w.option && !a.fm.Hinted(w.name) {
			continue
		}
		col := annotateColumn{name: w.name, separator: ' '}
		if w.get == nil {
			col.separator = ':'
			out = append(out, col)
			continue
		}
		col.values = make([]template.Value, len(found.Origins))
		for i, origin := range found.Origins {
			value, text, err := w.get(origin)
			if err != nil {
				return nil, err
			}
			col.values[i] = value
			if a.fm.IsPlain() {
				col.texts = append(col.texts, text)
				col.widths = append(col.widths, a.c.Encoding.ColWidth(text))
			}
		}
		out = append(out, col)
	}
	return out, nil
}

// number is a revision number. Uncommitted lines have that of the first parent
// and a plus sign, unless the hash tells them apart.
func (a *annotator) number(o annotate.Origin) (template.Value, string, error) {
	rev, mark := o.Rev, ""
	if a.rev == node.WdirRev && !a.c.Opts.On("changeset") {
		mark = " "
	}
	if rev == node.WdirRev {
		if rev, _ = a.v.WdirParents(); mark != "" {
			mark = "+"
		}
	}
	return template.Int(int64(o.Rev)), strconv.Itoa(int(rev)) + mark, nil
}

func (a *annotator) node(o annotate.Origin) (template.Value, string, error) {
	id, mark := a.v.Node(o.Rev), ""
	value := template.Bytes(id.Hex())
	if a.rev == node.WdirRev {
		mark = " "
	}
	if o.Rev == node.WdirRev {
		p1, _ := a.v.WdirParents()
		id, mark = a.v.Node(p1), "+"
	}
	if a.c.Debug {
		return value, id.Hex() + mark, nil
	}
	return value, id.Short() + mark, nil
}

func (a *annotator) user(o annotate.Origin) (template.Value, string, error) {
	var user string
	if o.Rev == node.WdirRev {
		if user = a.fm.repo.Username().Local; user == "" {
			return template.Value{}, "", unsupported("name of a user who has none")
		}
	} else {
		ctx, err := a.context(o.Rev)
		if err != nil {
			return template.Value{}, "", err
		}
		user = ctx.User().Local
	}
	text := user
	if !a.c.Verbose && !a.c.Debug {
		text, _, _ = strings.Cut(text, "@")
		text = text[strings.IndexByte(text, '<')+1:]
		text, _, _ = strings.Cut(text, " ")
		text, _, _ = strings.Cut(text, ".")
	}
	return template.Bytes(user), text, nil
}

func (a *annotator) date(o annotate.Origin) (template.Value, string, error) {
	var d dates.Date
	if o.Rev == node.WdirRev {
		fi, err := os.Lstat(filepath.Join(a.v.Layout.Root, o.Path))
		if err != nil {
			return template.Value{}, "", err
		}
		if _, set := a.c.Config.Get("devel", "default-date"); set {
			return template.Value{}, "", unsupported("devel.default-date")
		}
		d.Unix = fi.ModTime().Unix()
		_, east := a.c.Now.In(a.c.Local).Zone()
		d.Offset = -east
	} else {
		ctx, err := a.context(o.Rev)
		if err != nil {
			return template.Value{}, "", err
		}
		d.Unix, d.Offset = ctx.Date()
		if err := ctx.Err(); err != nil {
			return template.Value{}, "", err
		}
	}
	layout := dates.DefaultFormat
	if a.c.Quiet {
		layout = "%Y-%m-%d"
	}
	text, err := d.Format(layout)
	if a.c.Opts.Text("template") == "cbor" {
		return template.Value{}, "", unsupported("annotate --date as CBOR")
	}
	// It is no date to hg's formatter, only a pair that date filters take.
	value := template.PlainTuple([]template.Value{template.Float(float64(d.Unix)), template.Int(int64(d.Offset))})
	return value, text, err
}
