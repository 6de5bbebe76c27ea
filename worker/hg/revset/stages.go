// SPDX-License-Identifier: GPL-2.0-or-later

package revset

// Stage is an expression on its way from text to what is evaluated. The stages are
// those of `hg debugrevspec -p`, and their trees are Mercurial's.
type Stage struct {
	Name string
	Tree *Tree
}

// StageNames are the names of all stages, in order.
var StageNames = []string{"parsed", "expanded", "concatenated", "analyzed", "optimized"}

// Stages takes an expression through all stages. With an error come those before
// it, and the warnings about aliases.
func Stages(expr string, lookup IsSymbol, aliases []Alias) (stages []Stage, warnings []string, err error) {
	t, err := parse(expr, lookup)
	for i, step := range []func() error{
		func() error { return err },
		func() error { t, warnings, err = expandAliases(t, aliases); return err },
		func() error { t, err = foldConcat(t); return err },
		func() error { t, err = analyze(t); return err },
		func() error {
			if err = checkNames(t); err == nil {
				t = optimize(t)
			}
			return err
		},
	} {
		if step() != nil {
			return stages, warnings, printable(err)
		}
		stages = append(stages, Stage{StageNames[i], t})
	}
	return stages, warnings, nil
}

// Query is what is evaluated after a stage, which has to be one of the last two.
func (s Stage) Query() *Query { return &Query{tree: s.Tree} }
