// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// dag is the history that hg is asked to make (`hg help debugbuilddag`): 3,000
// changesets that all change one file, in two named branches, with merges.
const dag = "+1500 :a +500 <a @stable +500 /2 +100 @default <a +400"

// repository is the repository to measure on: the given one, one that hg makes,
// or, where there is no hg, a recorded one.
func repository(ctx context.Context, given, hg, temp string) (string, error) {
	dir, err := given, error(nil)
	switch {
	case given != "":
	case hg != "":
		dir, err = grown(ctx, hg, filepath.Join(temp, "repo"))
	default:
		dir, err = recorded(ctx, filepath.Join(temp, "repo"))
	}
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("repository: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".hg")); err != nil {
		return "", fmt.Errorf("repository: %w", err)
	}
	return dir, nil
}

// grown has hg make a repository.
func grown(ctx context.Context, hg, dir string) (string, error) {
	for _, args := range [][]string{
		{"init", dir},
		{"-R", dir, "debugbuilddag", "--overwritten-file", "--new-file", dag},
		{"-R", dir, "update", "--quiet", "default"},
		{"-R", dir, "tag", "--user", "bench", "--date", "0 0", "--rev", "1000", "v1.0"},
		{"-R", dir, "phase", "--public", "--rev", "2000"},
		{"-R", dir, "bookmark", "--rev", "1200", "old"},
	} {
		cmd := exec.CommandContext(ctx, hg, args...)
		cmd.Env = append(environment(true), "HGUSER=bench")
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("make a repository: hg %s: %w\n%s", strings.Join(args, " "), err, text)
		}
	}
	return dir, nil
}

// recorded unpacks a recorded repository of this source tree.
func recorded(ctx context.Context, dir string) (string, error) {
	top, err := source(ctx)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(top, "testdata", "repos", "merges-renames.tar.gz")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if text, err := exec.CommandContext(ctx, "tar", "-C", dir, "-xzf", archive).CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack %s: %w\n%s", archive, err, text)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", ".hg"))
	if err == nil && len(found) == 0 {
		err = errors.New("no repository in it")
	}
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", archive, err)
	}
	return filepath.Dir(found[0]), nil
}

// source is the top of this source tree.
func source(ctx context.Context) (string, error) {
	top, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "hgbroker").Output()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	return strings.TrimSpace(string(top)), nil
}
