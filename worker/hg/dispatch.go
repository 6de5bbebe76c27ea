// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"context"
	"errors"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/color"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/store"
)

// dispatcher takes one command line from its words to an exit code, in the order
// in which Mercurial's dispatch.py does it, since the order decides which error
// wins.
type dispatcher struct {
	e   *Engine
	ctx context.Context
	r   *Request
	out *output

	env     *environment
	dialect *dialect
	cwd     string
	dot     *store.Absences // .hg and what it lacks, nil without a repository
	loaded  *loadedConfig
	cfg     *config.Config
	enc     *encoding.Encoding
	color   *color.Palette // nil unless the output is to have colors
	cmd     *command.Context
	repo    *repo.Repo
	subs    []*repo.Repo // subrepositories that the command looked into
	result  Result
	early   cmdline.Values
	// lost tells that --cwd names no directory; noRepository is what --repository
	// names when that is no repository.
	lost         *hgerr.Abort
	noRepository string

	traceback bool           // --traceback
	lateFlags cmdline.Values // those of flagNames that an alias or an abbreviation gave; nil for none
}

func (d *dispatcher) warn(text string) { d.out.err.WriteString(text) }

// run is the command. Its error is what report turns into hg's words.
func (d *dispatcher) run() (int, error) {
	if err := d.start(); err != nil {
		return 0, err
	}
	if d.env.settingsErr != nil {
		return 0, d.env.settingsErr
	}
	root, err := d.enter()
	if err != nil {
		return 0, err
	}
	if err := d.loadConfig(root); err != nil {
		return 0, err
	}
	if err := d.checkLost(); err != nil {
		return 0, err
	}
	if d.loaded.refusal != nil {
		return 0, d.loaded.refusal
	}
	if d.r.Terminal {
		return 0, hgerr.NewUnsupported("output to a terminal")
	}
	line, spec, err := d.parse()
	if err != nil {
		return 0, err
	}
	if err := cmdline.CheckEarly(line.Global, d.early); err != nil {
		return 0, err
	}
	settings := d.env.settings
	if err := d.applyGlobal(line, &settings); err != nil {
		return 0, err
	}
	if d.enc, err = d.e.encoding(settings); err != nil {
		return 0, err
	}
	if err := d.openRepository(line, root); err != nil {
		return 0, err
	}
	zone, err := d.env.location()
	if err != nil {
		return 0, err
	}
	d.cmd = &command.Context{
		Context: d.ctx, Args: line.Args, Opts: line.Options, Global: line.Global,
		Config: d.cfg, Encoding: d.enc, Quiet: d.cfg.Quiet, Verbose: d.cfg.Verbose, Debug: d.cfg.Debug,
		Cwd: d.cwd, Now: d.r.Now, Local: zone, Getenv: d.env.lookup, Version: d.r.Hg.Version,
		Evolve: d.loaded.releases["evolve"], Topic: d.loaded.releases["topic"], RefuseText: d.loaded.refuseText(),
		AsksQueue: slices.ContainsFunc(d.r.Args, func(a string) bool { return strings.Contains(a, "mq") }),
		Umask:     d.r.Umask, Stdout: &d.out.out, Stderr: &d.out.err, Seekable: d.r.Seekable, Appends: d.r.Appends, Color: d.color, Repo: d.repo,
		Buffers: &d.e.buffers, OpenRepo: d.openPeer,
		OpenSub: d.openSub,
	}
	if g := line.Global; line.Command.NoRepo && root != "" && !g.On("verbose") && !g.On("quiet") && !g.On("debug") {
		// The repository's configuration tells such a command its aliases only.
		base := d.loaded.base
		d.cmd.Quiet, d.cmd.Verbose, d.cmd.Debug = base.Quiet, base.Verbose, base.Debug
	}
	code, err := spec.Run(d.cmd)
	err = d.cmd.FirstError(err)
	if err == nil {
		err = d.cmd.MatchError()
	}
	d.cmd.Spill()
	return code, err
}

// start takes up what is the same for many commands, and reads the early options.
func (d *dispatcher) start() error {
	d.env, d.dialect = d.e.environment(d.r.Env), d.e.dialect(d.r.Hg.Version)
	d.early = d.dialect.early.Parse(d.r.Args, d.env.strict, d.env.laid)
	return nil
}

func (d *dispatcher) sources() config.Sources {
	return config.Sources{Version: d.dialect.version, Getenv: d.env.get, Cwd: d.cwd, UID: uint32(d.r.UID), HgPath: d.r.Hg.Path}
}

// loadConfig reads all configuration, or finds that it was read before.
func (d *dispatcher) loadConfig(root string) error {
	if root != "" && d.dot == nil {
		d.dot = d.e.absences(dotOf(root))
		d.dot.Look(d.r.Now)
	}
	var err error
	if d.loaded, err = d.configOf(root, d.dot); err == nil {
		d.cfg = d.loaded.full
	}
	return err
}

// configOf is the configuration with that of the repository at root, "" for
// none; dot is what its .hg lacks.
func (d *dispatcher) configOf(root string, dot *store.Absences) (*loadedConfig, error) {
	var flags [len(flagNames)]string
	for i, name := range flagNames {
		if d.early.On("verbose") || d.early.On("debug") || d.early.On("quiet") {
			flags[i] = pythonBool(d.early.On(name))
		}
	}
	key := configKey{env: d.env, cwd: d.cwd, root: root, version: d.r.Hg.Version, hg: d.r.Hg.Path, uid: d.r.UID, given: given(d.early), flags: flags}
	if l := d.e.configs.get(key, d.r.Now, dot); l != nil {
		return l, nil
	}
	base, err := config.Load(d.sources())
	if err == nil {
		err = base.AddFiles(d.early.List("config-file"), d.early.Text("cwd") != "")
	}
	if err == nil {
		err = base.AddOverrides(d.early.List("config"))
	}
	if d.loaded == nil {
		d.printWarnings(base)
	}
	if err != nil {
		return nil, err
	}
	full := base
	if root != "" {
		full, err = base.WithRepository(root)
		if len(full.Warnings()) > 0 {
			return nil, hgerr.NewUnsupported("configuration with warnings")
		}
		if err != nil {
			return nil, err
		}
	}
	if full, err = full.Copy(); err != nil {
		return nil, err
	}
	for i, name := range flagNames {
		if flags[i] != "" {
			if err := full.Set("ui", name, flags[i], "--"+name); err != nil {
				return nil, err
			}
		}
	}
	if root != "" {
		if err := full.Set("bundle", "mainreporoot", root, "repo"); err != nil {
			return nil, err
		}
	}
	l := &loadedConfig{key: key, base: base, full: full}
	l.settle()
	d.e.configs.put(l)
	return l, nil
}

// openPeer opens another repository as one to pull from or push to.
func (d *dispatcher) openPeer(root string) (*repo.Repo, error) {
	r, err := d.e.open(root, false, nil)
	if err == nil && d.loaded.dormant(r) != nil {
		err = hgerr.NewUnsupported("a peer that needs an extension")
	}
	return r, err
}

// openSub opens a subrepository, with the configuration that counts in it: its
// own hgrc in place of that of the repository around it.
func (d *dispatcher) openSub(root string) (*repo.Repo, *config.Config, error) {
	if len(d.e.repos) >= maxOpen {
		return nil, nil, hgerr.NewUnsupported("more than %d subrepositories", maxOpen)
	}
	dot := d.e.absences(dotOf(root))
	dot.Look(d.r.Now)
	l, err := d.configOf(root, dot)
	if err == nil && l.refusal != nil {
		err = l.refusal
	}
	if err != nil {
		return nil, nil, hgerr.NewUnsupported("subrepository in %s: %v", root, err)
	}
	cfg := l.full
	if d.lateFlags != nil {
		if cfg, err = d.withLateFlags(cfg); err != nil {
			return nil, nil, err
		}
	}
	r, err := d.e.open(root, true, dot)
	if err == nil {
		err = l.dormant(r)
	}
	if err != nil {
		return nil, nil, hgerr.NewUnsupported("subrepository in %s: %v", root, err)
	}
	d.subs = append(d.subs, r)
	return r, cfg, nil
}

func pythonBool(on bool) string {
	if on {
		return "True"
	}
	return "False"
}

func (d *dispatcher) printWarnings(c *config.Config) {
	for _, w := range c.Warnings() {
		d.warn(w)
		if !strings.HasSuffix(w, "\n") {
			d.warn("\n")
		}
	}
}

// parse reads the command line in full.
func (d *dispatcher) parse() (cmdline.Line, *command.Spec, error) {
	var spec *command.Spec
	var known *commandOptions
	var called []string
	var hooked string // the name that hooks are looked up by
	if d.loaded.strictErr != nil {
		return cmdline.Line{}, nil, d.loaded.strictErr
	}
	find := func(name string) (cmdline.Command, error) {
		if c, ok := d.loaded.extensionCommand(name); ok {
			return c, nil
		}
		c, err := cmdline.Lookup(name, d.dialect.version, d.loaded.aliases, d.loaded.strict)
		var unknown *cmdline.UnknownCommandError
		if errors.As(err, &unknown) && !d.loaded.strict {
			if c, ok := d.loaded.abbreviated(name); ok {
				return c, nil
			}
		}
		for _, x := range d.loaded.extensions {
			if refusal := x.refusesWord(name, c); refusal != nil {
				return c, refusal
			}
		}
		return c, err
	}
	options := func(c cmdline.Command, args []string) (*cmdline.Set, []string, error) {
		name, words, target, err := d.expandAlias(c, args)
		if err != nil {
			return nil, nil, err
		}
		if text, _ := d.cfg.Get("defaults", name); text != "" {
			extra, err := d.expandWords(text)
			if err != nil {
				return nil, nil, err
			}
			words = append(extra, words...)
		}
		if spec = command.Table()[target.Name]; spec == nil {
			return nil, nil, hgerr.NewUnsupported("command %s", target.Name)
		}
		d.result.Command = spec.Name
		hooked = name
		known, called = d.dialect.of(spec), words
		return known.set, words, nil
	}
	line, err := cmdline.ParseLine(d.r.Args, d.dialect.global, d.env.laid, find, options)
	if err != nil {
		var usage *cmdline.UsageError
		var unknown *cmdline.UnknownCommandError
		if errors.As(err, &unknown) {
			return line, nil, d.unknownCommand(unknown.Command)
		}
		if errors.As(err, &usage) {
			return line, nil, hgerr.NewUnsupported("usage error: %v", err)
		}
		return line, nil, err
	}
	if !line.HasCommand || line.Global.On("version") || line.Global.On("help") {
		return line, nil, hgerr.NewUnsupported("help or version without a command")
	}
	for _, option := range known.lacking {
		if line.Options.Given(option) {
			return line, nil, hgerr.NewUnsupported("%s --%s", spec.Name, option)
		}
	}
	if err := d.refuseExtensions(spec, line, called); err != nil {
		return line, nil, err
	}
	if hook, ok := d.loaded.hook(hooked); ok {
		return line, nil, hgerr.NewUnsupported("hook %s", hook)
	}
	return line, spec, nil
}

// expandAlias follows an alias to the command that it stands for. name is what
// [defaults] are looked up by, words are the arguments with what the alias adds.
func (d *dispatcher) expandAlias(c cmdline.Command, args []string) (name string, words []string, target cmdline.Command, err error) {
	name = c.Name
	aliases := d.loaded.aliases
	var chain [][]string // what each alias puts before its arguments
	for c.Alias {
		text, _ := d.cfg.Get("alias", c.Name)
		// Only aliases that were defined before this one count in its definition.
		aliases = aliases[:slices.Index(aliases, c.Name)]
		if strings.HasPrefix(text, "!") {
			return name, nil, c, hgerr.NewUnsupported("shell alias %s", c.Name)
		}
		def, err := d.expandWords(text)
		if err != nil {
			return name, nil, c, err
		}
		early, def := cmdline.SplitEarly(def, d.dialect.version)
		if len(early) > 0 || len(def) == 0 {
			return name, nil, c, hgerr.NewUnsupported("alias %s, which hg refuses", c.Name)
		}
		chain = append(chain, def[1:])
		if c, err = cmdline.Lookup(def[0], d.dialect.version, aliases, false); err != nil {
			return name, nil, c, hgerr.NewUnsupported("alias %s: %v", name, err)
		}
		for _, x := range d.loaded.extensions {
			if err := x.refusesWord(def[0], c); err != nil {
				return name, nil, c, err
			}
		}
	}
	// The innermost alias takes its arguments from the one around it.
	for i := len(chain) - 1; i >= 0; i-- {
		if words, err = placeArguments(words, chain[i]); err != nil {
			return name, nil, c, err
		}
	}
	if words, err = placeArguments(words, args); err != nil {
		return name, nil, c, err
	}
	return name, words, c, nil
}

// applyGlobal acts on the global options that are known only now.
func (d *dispatcher) applyGlobal(line cmdline.Line, settings *encoding.Settings) error {
	if v := line.Global.Text("encoding"); v != "" {
		settings.Name = v
	}
	if v := line.Global.Text("encodingmode"); v != "" {
		settings.Mode = v
	}
	settings.Fallback = d.loaded.fallback
	for _, name := range []string{"time", "profile", "debugger"} {
		if line.Global.On(name) {
			return hgerr.NewUnsupported("--%s", name)
		}
	}
	d.traceback = line.Global.On("traceback")
	if d.loaded.filters {
		return hgerr.NewUnsupported("devel.debug.repo-filters")
	}
	if pager := line.Global.Text("pager"); alwaysPages(pager) {
		return hgerr.NewUnsupported("--pager=%s", pager)
	}
	if c, y := line.Global.Text("color"), line.Global.On("noninteractive"); c != "" || y {
		full, err := d.cfg.Copy()
		if err == nil && y {
			err = full.Set("ui", "interactive", "off", "-y")
		}
		if err == nil && c != "" {
			err = full.Set("ui", "color", c, "--color")
		}
		if err != nil {
			return err
		}
		d.cfg = full
	}
	var err error
	if d.color, err = color.New(d.cfg, line.Global.Text("color")); err != nil {
		return err
	}
	if !slices.ContainsFunc(flagNames[:], line.Global.On) {
		return nil
	}
	for _, name := range flagNames {
		if line.Global.On(name) != d.early.On(name) {
			// An abbreviation, or one in an alias: hg lays it over the rest now.
			d.lateFlags = line.Global
		}
	}
	if d.lateFlags != nil {
		d.cfg, err = d.withLateFlags(d.cfg)
	}
	return err
}

// withLateFlags lays those of the command line's flags over a configuration that
// were not known early.
func (d *dispatcher) withLateFlags(cfg *config.Config) (*config.Config, error) {
	full, err := cfg.Copy()
	if err != nil {
		return nil, err
	}
	for _, name := range flagNames {
		if on := d.lateFlags.On(name); on != d.early.On(name) {
			if err := full.Set("ui", name, pythonBool(on), "--"+name); err != nil {
				return nil, err
			}
		}
	}
	return full, nil
}

// resolved tells that root has no symbolic link in it, which it has not when it
// is the working directory or above that.
func (d *dispatcher) resolved(root string) bool {
	rest, ok := strings.CutPrefix(d.cwd, root)
	return ok && (rest == "" || rest[0] == '/')
}

// openRepository opens the repository when the command takes one.
func (d *dispatcher) openRepository(line cmdline.Line, root string) error {
	c := line.Command
	if spec := command.Table()[d.result.Command]; c.Alias && spec != nil {
		for _, k := range cmdline.Commands(d.dialect.version) {
			if k.Name == spec.Name {
				c = k
			}
		}
	}
	if c.NoRepo {
		if line.Global.Text("repository") != "" {
			d.warn("warning: --repository ignored\n")
		}
		return nil
	}
	if d.noRepository != "" {
		return hgerr.Abortf(hgerr.Other, "repository %s not found", d.noRepository)
	}
	if root == "" {
		if c.OptionalRepo {
			return nil
		}
		if c.InferRepo && len(line.Args) > 0 {
			return hgerr.NewUnsupported("a repository inferred from arguments")
		}
		return hgerr.Abortf(hgerr.NotARepository, "no repository found in '%s' (.hg not found)", d.cwd)
	}
	r, err := d.e.open(root, d.resolved(root), d.dot)
	if err == nil {
		err = d.loaded.dormant(r)
	}
	var a *hgerr.Abort
	if errors.As(err, &a) && a.Kind == hgerr.NotARepository && c.OptionalRepo && line.Global.Text("repository") == "" {
		return nil
	}
	if err != nil {
		return err
	}
	d.repo = r
	d.result.Repository, d.result.Store = r.Layout.Root, r.Layout.StorePath
	return nil
}

// report prints an error as hg does and returns the exit code. What hg would
// not print in a way that is known here comes back as an error.
func (d *dispatcher) report(err error) (int, error) {
	var a *hgerr.Abort
	var damage *hgerr.Damage
	if !errors.As(err, &a) || (errors.As(err, &damage) || a.Kind == hgerr.Corrupt) && !d.out.flowing {
		if d.ctx.Err() != nil {
			return 0, d.ctx.Err()
		}
		if d.out.failed != nil {
			return 0, d.out.failed
		}
		// A damaged file, or a system call that failed. What hg can still say
		// about it depends on what it happens to read in which order, so hg says
		// it; where it is not there, our words go out.
		return 0, &hgerr.Unsupported{What: err.Error(), Err: err}
	}
	if strings.HasPrefix(a.Message, "unknown ") && strings.HasPrefix(a.Hint, "did you mean") && !d.out.flowing && d.loaded != nil &&
		slices.ContainsFunc(d.loaded.extensions, func(x *extension) bool { return x.names != "" }) {
		return 0, hgerr.NewUnsupported("names similar to one that is unknown beside those of an extension")
	}
	if d.traceback && !d.out.flowing {
		return 0, hgerr.NewUnsupported("--traceback of an error")
	}
	prefix := a.Prefix
	if prefix == "" {
		prefix = "abort: "
	}
	d.warn(d.color.Label("ui.error", prefix+a.Message+"\n"))
	if a.Hint != "" {
		d.warn(d.color.Label("ui.error", "("+a.Hint+")\n"))
	}
	code := a.Code
	if code == 0 {
		code = 255
	}
	if d.cfg != nil {
		if on, err := d.cfg.Bool("ui", "detailed-exit-code"); err == nil && on && a.Detailed != 0 {
			code = a.Detailed
		}
	}
	return code, nil
}

// finish fills in what the finished-command message tells.
func (d *dispatcher) finish(code int) {
	d.result.ExitCode = code
	if d.repo != nil {
		d.result.Loaded, d.result.LoadTime = d.repo.Loaded(), d.repo.LoadTime
		d.result.Generation = d.repo.Generation()
	}
}
