// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
)

// valid are expressions that select something or nothing; invalid ones end in
// an error. In both, what hg prints is what is expected.
var expressions = strings.Split(strings.TrimSpace(`
0
-1
5+3
5 + 3 + 5
tip
.
null
null+0
.^
.^^
.^2
.^0
.^3
.^1
.~1
.~2
.~0
.~-1
5~-1
0~-1
14~-1
10~-1
null~-1
0^
0^1
0~9
.^:0
tip^:tip
(.)^:
.^::
.^::10
:.^
3:7
7:3
3:
:3
:
2::10
2::
::2
2..10
2..
..2
::
..
all()
all
none()
null:3
3:null
null::3
:null
wdir()
wdir()^
wdir()^2
wdir():3
3:wdir()
null:wdir()
::wdir()
wdir()::
0::wdir()
all() and wdir()
wdir() and all()
(0:wdir()) and wdir()
max(wdir()+1)
heads(wdir()+10)
roots(wdir()+10)
sort(0:wdir(), -rev)
sort(0:wdir(), topo)
children(0) & (0:wdir())
draft() & ::wdir()
(0:wdir()) & draft()
(0:wdir()) & public()
ffffffffffffffffffffffffffffffffffffffff
ffffffffff
id(ffffffffff)
0000000000000000000000000000000000000000
foo-bar
foo-bar:5
foo-bar - 3
a+b c
a+b c:tip
5 or a+b c
"a+b c"
'a+b c'
r"a+b c"
mark/x@y
mark/x@y^
@
@:5
@^
rel-1.0-rc
1.0
and
'and'
1.0:rel-1.0-rc
stable
feature-x
default
feature-x:default
heads(default)
"\x30"
'\60'
r'\x30'
"\x3"
'\q'
"abc
'abc\'
5-3
0:5-3
0:5 - 3
(0:5)-3
0:5-1.0
3-
-3
- 3
-(3)
--3
!3
not 3
not (0:5)
0:5 and not 3
0:5 and not (3+4)
3 and 4
3 & 3
3:5 & 5:3
5:3 & 3:5
(5:3) & (1+3+4)
(1+3+4) & 5:3
4+3+5 & 0:9
0:9 & 4+3+5
0:9 & (4+3+5)
(4+3+5) & 0:9
4+3+5+3+4
4+3+(5:3)
(5:3)+(3:5)
(5:3)+4+9+2
3+4+all()
9 + 8:6 + (1 or 2)
reverse(0:5)
reverse(3+1+2)
reverse(reverse(3+1+2))
reverse(0:5) & 1:3
1:3 & reverse(0:5)
sort(3+1+2)
sort(3+1+2, rev)
sort(3+1+2, -rev)
sort(all(), branch)
sort(all(), -branch)
sort(all(), "branch -rev")
sort(all(), "-user date")
sort(all(), user)
sort(all(), author)
sort(all(), "-desc")
sort(all(), date)
sort(all(), "-date -branch")
sort(all(), node)
sort(all(), -node)
sort(all(), topo)
sort(all(), -topo)
sort(all(), topo, topo.firstbranch=7)
sort(all(), topo, topo.firstbranch=21)
sort(all(), topo, topo.firstbranch=desc(feature))
sort(3+1+2, "")
sort(3+1+2, "topo rev")
sort(3+1+2, foo)
sort(3+1+2, -foo)
sort(3+1+2, rev, topo.firstbranch=1)
sort(3+1+2, rev, random.seed=1)
sort(3+1+2, keys=-rev)
sort(set=3+1+2, keys=-rev)
sort(3+1+2, rev, rev)
sort(3+1+2, rev, keys=rev)
sort(3+1+2, foo=rev)
sort(keys=rev)
sort()
sort(1, 2, 3, 4, 5)
sort(1, rev())
0:9 & sort(5+3+4, -rev)
sort(5+3+4, -rev) & 0:9
reverse(author(ada)) + author(bob)
author(bob) + reverse(author(ada))
reverse(author(ada)) or author(bob) or 0:3
sort(author(ada), -rev) + 0:5
(reverse(draft()) + author(bob))
(reverse(public()) + author(bob))
reverse(merge()) + desc(add)
first(0:5)
first(0:5, 2)
first(5:0, 2)
first(3+1+2, 2)
first(all(), 3) & 5:0
5:0 & first(all(), 3)
limit(0:9, 3, 2)
limit(9:0, 3, 2)
limit(3+1+2+9, 2, 1)
limit(all(), 0)
limit(all(), 999999999999999999999)
limit(all(), -1)
limit(all(), 1, -1)
limit(all(), x)
limit(all(), " 2 ")
limit(all(), "1_0")
limit(n=2, set=3:9)
limit()
limit(1,2,3,4)
last(0:5)
last(0:5, 2)
last(5:0, 2)
last(3+1+2, 2)
last(all(), 3) & 9999:0
last(all(), 0)
last(all(), -1)
last()
last(1, 2, 3)
5:0 & last(0:4, 3)
max(0:5)
max(3+1)
max(none())
min(3+1)
min(5:2)
min(all())
max(::9)
min(::9)
max(9::)
p1()
p2()
parents()
p1(10)
p2(10)
parents(10)
parents(0)
parents(null)
parents(8+9+10)
p1(1,2)
10^2
10^^
10^^2
8:10^2
children(5)
children(5+7)
children(null)
children(all())
children(none())
children(::5)
10:0 & children(2:7)
ancestors(9)
ancestors(9, 2)
ancestors(9, depth=1)
ancestors(9, 0)
ancestors(9, -1)
ancestors(9, x)
ancestors(9, startdepth=2)
ancestors(9, startdepth=2, depth=3)
ancestors(10+5, depth=2, startdepth=1)
ancestors(set=9)
ancestors()
ancestors(depth=1)
ancestors(none())
ancestors(9,1,1,1)
descendants(5)
descendants(2, 2)
descendants(2+4, depth=1)
descendants(2, startdepth=1)
descendants(2, depth=3, startdepth=2)
descendants(null)
descendants(null, 1)
descendants(x)
descendants()
reverse(::9)
reverse(::9) & 3:7
3:9 & ::7
first(::9, 2)
last(::9, 2)
first(reverse(::9), 3)
7::9 & 3::
_firstancestors(10)
_firstdescendants(4)
ancestor(8, 9)
ancestor(9, 8)
ancestor(10, 12)
ancestor(12)
ancestor()
ancestor(8+9, 12)
ancestor(0, 21)
ancestor(wdir(), 1)
ancestor(1, wdir())
commonancestors(8+9)
commonancestors(12+7)
commonancestors(none())
heads(commonancestors(8+9))
heads(commonancestors(12+7+9))
heads(commonancestors(null+1))
roots(all())
roots(5:9)
roots(3+4+9)
heads(all())
heads(5:9)
heads(3:9 - 7)
heads(::9)
heads(none())
head()
heads(branch(default))
only(9, 8)
only(8, 9)
only(9)
only(9+12, 7)
only(null)
only(0, null)
only(9, wdir())
9 % 8
8 % 9
9 %
9%
%9
::9 - ::8
::9 and not ::8
not ::8 and ::9
follow()
_followfirst()
follow(startrev=7)
merge()
not merge()
branchpoint()
5:10 & branchpoint()
branch(default)
branch(stable)
branch("feature-x")
branch(feature-x)
branch("re:^s")
branch("re:.*-x$")
branch("literal:stable")
branch("literal:nosuch")
branch(nosuch)
branch(7+12)
branch(7) & 0:9
branch(none())
branch(.)
closed()
closed() or head()
public()
draft()
secret()
not public()
_notpublic()
public() & 5:0
draft() & ::9
secret() & ::tip
not public() & ::tip
draft() & ancestors(9, 2)
_phase(1)
bookmark()
bookmark("foo-bar")
bookmark(foo-bar)
bookmark("@")
bookmark(".")
bookmark("literal:foo-bar")
bookmark("re:^.o")
bookmark("re:nosuch")
bookmark(nosuch)
bookmark("literal:.")
bookmark(3)
bookmark(1, 2)
tag()
tag("1.0")
tag(1.0)
tag(tip)
tag("re:1.0")
tag("re:tip")
tag(nosuch)
tagged()
named("bookmarks")
named("tags")
named("branches")
named("re:s$")
named("nosuch")
named("re:nosuch")
named()
id(0)
id("0")
id("ffff")
id("zz")
id()
rev(3)
rev("3")
rev(99999)
rev(-1)
rev(-2)
rev(2147483647)
rev(x)
rev()
_rev(99999)
author(ada)
author(ADA)
author("çelik")
author("ÇELIK")
author("re:^b")
author("re:^B")
author("literal:ada")
author("i̇stanbul")
author("ας")
user(bob)
author()
author(bob, x)
author(bob())
desc("add")
desc(é)
desc("É")
desc("re:add \d")
desc("re:^more.*stuff$")
desc("re:stuff$")
desc("re:x$")
desc("re:[a-c]dd")
desc("re:\bfix\b")
desc("re:(")
desc("re:(?i)x")
desc("re:.é")
desc("re:\s\S+\s")
desc("line é")
desc("+ more (bug")
keyword(bug)
keyword(F1)
keyword("É")
keyword(ada)
grep("Add")
grep("add")
grep("f[12]$")
grep(r"\bbug 12\)")
grep("(")
grep("é")
grep()
date("2001")
date("2001-09")
date("2001-09-09")
date("2001-09-09 01:46:40")
date("2001-09-09 01:46:40 UTC")
date("2001-09-09 01:46 +0000")
date("2001-09-09T01:46:40Z")
date("09/09/2001")
date("9/9/01")
date("Sep 2001")
date("Sep 9 2001")
date("Sun Sep 09 01:46:40 2001 +0000")
date("Sun Sep 09 01:46:40am 2001")
date("Sun, 09 Sep 2001 01:46:40 +0000")
date("<2001-12-31")
date(">2001-12-31")
date("> 2002")
date("<2002-02")
date("2001-09-30 to 2002-02-15")
date("2001 to 2002")
date("2001-02")
date("1000000000 0")
date(">1000000000 0")
date("-30")
date("-x")
date("--1")
date("<")
date(">")
date("")
date(" ")
date("foo")
date("2001-13")
date("2001-02-30")
date("2001-02-29")
date("2004-02-29")
date("9999999999 0")
date("1000000000 99999")
date("2001 to 2002 to 2003")
date("2001-09-09 24:00")
date("2001-09-09 0146")
date("2001-09-09 1:46pm")
date("2001-09-09 12:46am")
date(2001)
date(2001-09)
date()
extra("branch")
extra("branch", "stable")
extra("branch", "re:^s")
extra("branch", value="literal:stable")
extra("close")
extra("source")
extra(nosuch)
extra()
extra("a", "b", "c")
extra(all())
extra("branch", all())
origin()
origin(13:15)
destination()
destination(11)
destination(7) & 9:99
converted()
converted(x)
matching(3)
matching(3, "branch")
matching(3+7, "branch phase")
matching(3, "author branch")
matching(8, "parents")
matching(12, "summary")
matching(12, "files")
matching(3, "date")
matching(3, "foo")
matching(none(), "branch")
matching(3, "")
matching()
file(f1)
file(f0) & 2:9
file("nosuch")
file()
adds(f1)
modifies(f1)
removes(f1)
_matchfiles("p:f1", "x:f0")
_matchfiles("p:f1", "r:3", "r:4")
_matchfiles("q:f1")
_matchfiles()
obsolete()
orphan()
extinct()
phasedivergent()
contentdivergent()
unstable()
hidden()
successors(all())
successors(14)
successors(16)
present(nosuch)
present(3)
present(5:3)
present(nosuch) + 3
present(nosuch + 3)
present(nosuch or present(3))
present(99999)
present(16)
present(foo())
revset(3)
revset(id(0))
expectsize(0:2, 3)
expectsize(0:2, 2)
expectsize(0:2, 2:4)
expectsize(0:2, 4:5)
expectsize(0:2, 4:)
expectsize(0:2, :2)
expectsize(0:2, :)
expectsize(0:2, -1)
expectsize(0:2, x)
expectsize(0:2, 0:x)
expectsize(0:2)
expectsize(2:0, 3) & 0:9
stack()
stack(5)
stack(5+9)
bundle()
_list('3\x000\x004')
_intlist('')
5#generations[1]
5#g[-1]
5#g[0]
5#g[-2:1]
5#g[1:2]
5#g[-3:-2]
5#g[:0]
5#g[0:]
5#g
5#g[:]
5#g[3:1]
5#foo
5#foo[1]
5#g[x]
5#g[1:x]
5[1]
5#g[]
"foo" ## "-bar"
foo ## - ## bar
("1" ## "0"):
1 ## (2)
1##0
3 ## all()
0, 1
all(),1
(0, 1)
a=b
first(a=b)
f=all()
5 = 5
3(4)
(3)(4)
'all'()
all(1)
all(())
all(
all)
all()x
all() all()
(
)
()
()+3
not ()
3 and ()
first(())
3:()
3::()
[
]
5[
:(
::(
3 +
+ 3
3 and
and 3
or
or 3
3 or
not
3 not 4
& 3
3 &
3 ~
3 ~ x
3~(1)
3^x
3^(1)
3^-1
3~-1
3~1.5
3 ^ 1
3 ^
3 ~ 1 ^
$
$1
?
\
a\
"\
'x' 'y'
3 4
3  5
nosuch
nosuch + other
3 + nosuch
nosuch & 3
foo()
foo(3)
foo(nosuch)
desk(x)
auther(x)
hed()
heds(x)
ancestor_(x)
brnch(x)
x(foo)
keywrd(x) or nosuch
lst(3)
nosuch and foo()
16
17
16:18
16 + 3
abcdef1234567890abcdef1234567890abcdef12
zzz
3.
3..
3...5
...
.:.
.::.
..5
5..
@@
_
é
é:3
3::5::7
3:5:7
::3::
:3:
3^2^1
-1:-3
-1 or -2
tip - -2
5 -3
5 - 3
5- 3
(5)-(3)
`), "\n")

// answer is what `hg log -r expr -T '{rev}\n'` would print, by this package.
func answer(repo Repo, exprs []string, opts *Options) (stdout, stderr string, err error) {
	s, warnings, err := Eval(context.Background(), repo, exprs, opts)
	stderr = strings.Join(warnings, "")
	if err == nil {
		revs, e := s.Revs()
		err = e
		for _, r := range revs {
			stdout += fmt.Sprintf("%d\n", r)
		}
	}
	if err == nil {
		return stdout, stderr, nil
	}
	var a *hgerr.Abort
	if !errors.As(err, &a) {
		return "", "", err
	}
	prefix := a.Prefix
	if prefix == "" {
		prefix = "abort: "
	}
	stderr += prefix + a.Message + "\n"
	if a.Hint != "" {
		stderr += "(" + a.Hint + ")\n"
	}
	return "", stderr, nil
}

// compare evaluates expr both ways and returns whether it was native.
func compare(t *testing.T, hg *hgServer, repo Repo, expr string, opts *Options, more ...string) bool {
	t.Helper()
	stdout, stderr, err := answer(repo, []string{expr}, opts)
	if err != nil {
		if !hgerr.IsUnsupported(err) {
			t.Errorf("%s: %v", expr, err)
		}
		return false
	}
	wantOut, wantErr := hg.run(t, append([]string{"log", "-r", expr, "-T", `{rev}\n`}, more...)...)
	if wantErr == crashed {
		return false
	}
	if wantErr != "" && !strings.HasPrefix(wantErr, "warning:") {
		wantOut = "" // some of it may come before the error
	}
	if stdout != wantOut || stderr != wantErr {
		t.Errorf("%s\ngot  %q %s\nwant %q %s", expr, strings.Fields(stdout), stderr, strings.Fields(wantOut), wantErr)
	}
	return true
}

func TestAgainstHg(t *testing.T) {
	hg, repo := build(t)
	opts := &Options{Now: time.Now(), Location: time.UTC}
	views := []struct {
		name string
		repo Repo
		args []string
	}{
		{"plain", repo, nil},
		{"indexed", indexedRepo{repo}, nil},
		{"hidden", indexedRepo{unhidden(repo)}, []string{"--hidden"}},
	}
	for _, v := range views {
		t.Run(v.name, func(t *testing.T) {
			native := 0
			for _, expr := range expressions {
				if expr != "" && compare(t, hg, v.repo, expr, opts, v.args...) {
					native++
				}
			}
			t.Logf("%d of %d expressions are native", native, len(expressions))
			if native < 350 {
				t.Errorf("only %d expressions are native", native)
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		r := rand.New(rand.NewPCG(17, 9))
		native, n := 0, 900
		if testing.Short() {
			n = 200
		}
		for range n {
			g := generator{r, repo.Len()}
			expr := g.expr(3)
			v := views[r.IntN(len(views))]
			if compare(t, hg, v.repo, expr, opts, v.args...) {
				native++
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		t.Logf("%d of %d expressions are native", native, n)
		if native < n*8/10 {
			t.Errorf("only %d expressions are native", native)
		}
	})
}

func unhidden(r *memRepo) *memRepo {
	all := *r
	all.all = true
	return &all
}

// generator makes random expressions, mostly valid.
type generator struct {
	r *rand.Rand
	n int
}

func (g generator) pick(s ...string) string { return s[g.r.IntN(len(s))] }

func (g generator) rev() string {
	if g.r.IntN(10) > 0 {
		return fmt.Sprint(g.r.IntN(g.n))
	}
	return g.pick("tip", ".", "null", "foo-bar", "stable", "-1", "@", "wdir()", "nosuch", "1.0")
}

func (g generator) expr(depth int) string {
	if depth == 0 {
		return g.rev()
	}
	x := func() string { return g.expr(g.r.IntN(depth)) }
	switch g.r.IntN(26) {
	case 0, 1:
		return x() + g.pick(" & ", " and ") + x()
	case 2, 3:
		return x() + g.pick(" + ", " or ", "|") + x()
	case 4:
		return x() + " - " + x()
	case 5:
		return "not " + x()
	case 6:
		return g.rev() + ":" + g.rev()
	case 7:
		return g.rev() + "::" + g.rev()
	case 8:
		return g.pick("::", ":") + g.rev()
	case 9:
		return g.rev() + g.pick("::", ":")
	case 10:
		return "(" + x() + ")" + g.pick("^", "^2", "~1", "~2", "^0", "~-1")
	case 11:
		return g.pick("reverse", "sort", "heads", "roots", "parents", "p1", "p2", "children", "max", "min", "first", "last", "present", "ancestors", "descendants", "only", "branch", "successors", "origin", "destination") + "(" + x() + ")"
	case 12:
		return g.pick("first", "last", "limit", "ancestors", "descendants") + "(" + x() + ", " + fmt.Sprint(g.r.IntN(5)) + ")"
	case 13:
		return "limit(" + x() + ", " + fmt.Sprint(g.r.IntN(4)) + ", " + fmt.Sprint(g.r.IntN(4)) + ")"
	case 14:
		return "sort(" + x() + ", " + g.pick("rev", "-rev", "branch", "user", "-date", "desc", "topo", "-topo", "node", `"branch -user"`) + ")"
	case 15:
		return "only(" + x() + ", " + x() + ")"
	case 16:
		return g.pick("all()", "draft()", "public()", "secret()", "merge()", "head()", "closed()", "bookmark()", "tag()", "branchpoint()", "obsolete()", "orphan()", "hidden()", "p1()", "none()", "unstable()", "stack()", "follow()")
	case 17:
		return g.pick("author(ada)", "author(bob)", "desc(add)", "keyword(f1)", "branch(default)", "branch(stable)", "file(f1)", `date("2001")`, `extra("source")`, "modifies(f1)")
	case 18:
		return "reverse(" + x() + ") + " + x()
	case 19:
		return "ancestor(" + x() + ", " + x() + ")"
	case 20:
		return "heads(commonancestors(" + x() + "))"
	case 21:
		return "(" + x() + ")#g[" + g.pick("-1", "1", "-2:1", "0:2", "-1:", "0") + "]"
	case 22:
		return g.pick("draft()", "secret()", "not public()", "public()") + " & ::(" + x() + ")"
	case 23:
		return "::(" + x() + ") - ::(" + x() + ")"
	case 24:
		return "(" + x() + ") % (" + x() + ")"
	default:
		return "(" + x() + ")"
	}
}
