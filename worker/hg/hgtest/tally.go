// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Tally counts what a test compared, over all its repositories, and prints
// the totals when the test ends. A test that compared nothing fails.
//
// Its methods may be called by several goroutines.
type Tally struct {
	// Strict makes every command that the runner under test calls Unsupported
	// an error. Otherwise they are counted with their reasons.
	Strict bool
	// MaxErrors is how many mismatches are printed in full; 0 means 10.
	MaxErrors int

	t  testing.TB
	mu sync.Mutex // guards the rest

	compared, repositories int
	mismatches             int
	commands               map[string]*perCommand // by hg's command word
	reasons                map[string]int         // of Unsupported
}

type perCommand struct{ same, different, unsupported int }

// NewTally returns a Tally whose totals are logged, and whose emptiness fails,
// when t ends.
func NewTally(t testing.TB) *Tally {
	t.Helper()
	y := &Tally{t: t, commands: make(map[string]*perCommand), reasons: make(map[string]int)}
	t.Cleanup(y.finish)
	return y
}

// Compared is how many command lines were compared so far, Unsupported ones
// left out.
func (y *Tally) Compared() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.compared
}

// Mismatches is how many of them differed.
func (y *Tally) Mismatches() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.mismatches
}

// prints tells whether the next mismatch is printed.
func (y *Tally) prints() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.mismatches < cmp.Or(y.MaxErrors, 10)
}

func (y *Tally) of(c Command) *perCommand {
	word := commandWord(c.Args)
	p := y.commands[word]
	if p == nil {
		p = new(perCommand)
		y.commands[word] = p
	}
	return p
}

func (y *Tally) repository() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.repositories++
}

func (y *Tally) same(c Command) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.compared++
	y.of(c).same++
}

func (y *Tally) unsupported(t testing.TB, dir string, c Command, what string) {
	t.Helper()
	y.mu.Lock()
	y.of(c).unsupported++
	y.reasons[what]++
	y.mu.Unlock()
	if y.Strict {
		t.Errorf("%s in %s: not native: %s", c, dir, what)
	}
}

func (y *Tally) different(t testing.TB, c Command, report string) {
	t.Helper()
	y.mu.Lock()
	y.compared++
	y.mismatches++
	y.of(c).different++
	n := y.mismatches
	y.mu.Unlock()
	limit := cmp.Or(y.MaxErrors, 10)
	switch {
	case n <= limit:
		t.Error(report)
	case n == limit+1:
		t.Errorf("more mismatches follow; they are counted but not printed")
	default:
		t.Fail()
	}
}

func (y *Tally) finish() {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.t.Skipped() && y.compared == 0 {
		return
	}
	y.t.Logf("%s", y.table())
	if y.compared == 0 {
		y.t.Errorf("this test compared nothing")
	}
}

func (y *Tally) table() string {
	var b strings.Builder
	var sum perCommand
	fmt.Fprintf(&b, "%-12s %8s %9s %11s\n", "command", "same", "different", "unsupported")
	for _, word := range slices.Sorted(maps.Keys(y.commands)) {
		p := y.commands[word]
		fmt.Fprintf(&b, "%-12s %8d %9d %11d\n", word, p.same, p.different, p.unsupported)
		sum.same += p.same
		sum.different += p.different
		sum.unsupported += p.unsupported
	}
	fmt.Fprintf(&b, "%-12s %8d %9d %11d   in %d repositories\n", "total", sum.same, sum.different, sum.unsupported, y.repositories)
	reasons := slices.SortedFunc(maps.Keys(y.reasons), func(a, b string) int {
		return cmp.Or(y.reasons[b]-y.reasons[a], strings.Compare(a, b))
	})
	for i, what := range reasons {
		if i == 30 {
			fmt.Fprintf(&b, "  ... and %d more reasons\n", len(reasons)-i)
			break
		}
		fmt.Fprintf(&b, "%7d × not native: %s\n", y.reasons[what], what)
	}
	return b.String()
}

// withValue are hg's global options that take a separate value.
var withValue = []string{"-R", "--repository", "--cwd", "--config", "--config-file", "--encoding", "--encodingmode", "--color", "--pager"}

// commandWord finds the command's name among args, "" when there is none.
func commandWord(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case slices.Contains(withValue, args[i]):
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}
