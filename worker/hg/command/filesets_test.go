// SPDX-License-Identifier: GPL-2.0-or-later

package command_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/fileset"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/hgtest"
)

// stages is what `hg debugfileset -p all` prints before any file.
func stages(expr string) (string, error) {
	t, err := fileset.Parse(expr)
	if err != nil {
		return "", err
	}
	out := "* parsed:\n" + t.String() + "\n"
	if t, err = fileset.Analyze(t); err != nil {
		return out, err
	}
	out += "* analyzed:\n" + t.String() + "\n"
	return out + "* optimized:\n" + fileset.Optimize(t).String() + "\n", nil
}

// answer is what hg prints of an expression for the files of candidates.
func answer(expr, rev string, candidates []string, compile func(expr, rev string) (*fileset.Matcher, error)) (stdout, stderr string, err error) {
	stdout, err = stages(expr)
	if err == nil {
		var m *fileset.Matcher
		if m, err = compile(expr, rev); err == nil {
			for _, f := range candidates {
				if m.Match(f) {
					stdout += f + "\n"
				}
			}
			err = m.Err()
		}
	}
	var a *hgerr.Abort
	if errors.As(err, &a) {
		prefix := a.Prefix
		if prefix == "" {
			prefix = "abort: "
		}
		stderr = prefix + a.Message + "\n"
		if a.Hint != "" {
			stderr += "(" + a.Hint + ")\n"
		}
		err = nil
	}
	return stdout, stderr, err
}

// TestFilesets compares every stage and the result of random filesets with `hg
// debugfileset`.
func TestFilesets(t *testing.T) {
	for _, version := range hgtest.HgVersions(t) {
		t.Run(version.Number, func(t *testing.T) {
			real := hgtest.NewReal(t, version.Path)
			generator := hgtest.NewGenerator(t, version.Path)
			variants := hgtest.Variants()
			compared, matched, wrong, seen := 0, 0, 0, map[string]bool{}
			unsupported := map[string]int{}
			first := number(t, "HGBROKER_SEED", 101)
			for i := range number(t, "HGBROKER_DIFFERENTIAL", 4) {
				seed := uint64(first + i)
				root := generator.New(t, seed, variants[(first+i*3)%len(variants)])
				removePipes(t, root)
				p := &patterns{Rand: rand.New(rand.NewPCG(seed, 11)), RepoInfo: hgtest.Info(t, real, root), root: root}
				run := func(args ...string) (string, string, int) {
					out, errOut, code, _, err := real.Run(filepath.Join(root, p.sub), args, hgtest.BaseEnv())
					if err != nil {
						t.Fatal(err)
					}
					return string(out), string(errOut), code
				}
				oldest, _, _ := run("log", "-r", "first(all())", "-T", "{rev}")
				for range number(t, "HGBROKER_COMMANDS", 60) {
					if p.sub = ""; p.IntN(3) == 0 && len(p.Present) > 0 {
						p.sub = p.pick(p.Present)
					}
					expr, rev := p.set(2), ""
					args := []string{"debugfileset", "--all-files"}
					if p.IntN(3) == 0 && oldest != "" {
						rev = p.pick([]string{oldest, "tip", "."})
						args = append(args, "-r", rev)
					}
					all, _, _ := run(append(args, "relre:.")...)
					wantOut, wantErr, code := run(append(args, "-p", "all", "--", expr)...)
					if code == 255 && strings.Contains(wantErr, "Traceback") {
						continue
					}
					var stderr bytes.Buffer
					env := map[string]string{}
					for _, e := range hgtest.BaseEnv() {
						name, value, _ := strings.Cut(e, "=")
						env[name] = value
					}
					v := config.Version{Major: 6, Minor: 3}
					if version.Number >= "7" {
						v = config.Version{Major: 7, Minor: 2}
					}
					compile, err := command.OpenFilesets(config.Sources{
						Version: v, Cwd: root, UID: uint32(os.Getuid()), HgPath: version.Path,
						Getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
					}, root, filepath.Join(root, p.sub), &stderr)
					if err != nil {
						t.Fatal(err)
					}
					gotOut, gotErr, err := answer(expr, rev, strings.Split(strings.TrimSuffix(all, "\n"), "\n"), compile)
					if hgerr.IsUnsupported(err) {
						unsupported[err.Error()]++
						continue
					}
					if err != nil {
						t.Errorf("%s: %v", expr, err)
						continue
					}
					compared++
					if !seen[expr] && wantErr == "" && !strings.HasSuffix(wantOut, ")\n") {
						matched++
					}
					seen[expr] = true
					if gotErr = stderr.String() + gotErr; gotOut != wantOut || gotErr != wantErr {
						if wrong++; wrong <= 10 {
							t.Errorf("in %s/%s, -r %q: %s\ngot:\n%s%s\nwant:\n%s%s", root, p.sub, rev, expr, gotOut, gotErr, wantOut, wantErr)
						}
					}
				}
			}
			t.Logf("compared %d, %d distinct, %d that match something, %d wrong; unsupported: %v", compared, len(seen), matched, wrong, unsupported)
			if matched == 0 {
				t.Error("nothing matched: nothing was tested")
			}
		})
	}
}
