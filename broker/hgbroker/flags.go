// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"hgbroker/broker"
	"hgbroker/protocol"
)

// options are the flags of all roles.
type options struct {
	help  bool
	usage string

	mcp      bool   // serve an agent
	writes   bool   // mcp
	json     bool   // stats
	build    string // master
	fallback protocol.Fallback
	framing  protocol.Framing
	hg       string
	runtime  string
	config   protocol.MasterConfig
}

const usageHead = `hgbroker answers Mercurial's read commands from repositories that it keeps warm,
and has the real hg do everything else.

usage:
  hgbroker [--stdio] [flags]    serve one client on stdin and stdout (JSON-RPC 2.0)
  hgbroker mcp [--allow-writes] [flags]
                                serve an agent: Model Context Protocol on stdin and stdout
  hgbroker stats [--json]       what the running master holds and did
  hgbroker stop                 let the running master end
  hgbroker version
  hgbroker master, worker, edit internal: started by the others

flags, each with the environment variable that sets it too:
`

// parse reads the flags of a role; the environment gives the defaults.
func parse(role string, args []string, getenv func(string) string) (*options, error) {
	switch role {
	case "--stdio", "mcp", "master", "stats", "stop", "version":
	default:
		return nil, fmt.Errorf("unknown command %q", role)
	}
	config, err := protocol.MasterConfigFromEnv(getenv)
	if err != nil && role != "master" {
		return nil, err
	}
	o := &options{}
	f := pflag.NewFlagSet("hgbroker", pflag.ContinueOnError)
	f.SortFlags = false
	f.Usage = func() {}
	f.BoolVarP(&o.help, "help", "h", false, "show this")
	f.Bool("stdio", true, "serve on stdin and stdout; the only way there is")
	framing := f.String("framing", or(getenv(protocol.EnvFraming), "auto"),
		"how messages are told apart: lsp (Content-Length headers), lines (one JSON object a line), or auto (by the first byte). HGBROKER_FRAMING")
	fallback := f.String("fallback", or(getenv(protocol.EnvFallback), "auto"),
		"what to do with a command that is not native: auto (run the real hg), never (answer with an error that names it), always (run the real hg for everything). HGBROKER_FALLBACK")
	f.StringVar(&o.hg, "hg", getenv(protocol.EnvHg),
		"the real hg; by default the first hg on PATH that is not hgbroker's own. HGBROKER_HG")
	f.StringVar(&o.runtime, "runtime-dir", getenv(protocol.EnvRuntimeDir),
		"directory of the master's socket; by default $XDG_RUNTIME_DIR/hgbroker, or /tmp/hgbroker-UID. Must be yours alone (mode 0700). HGBROKER_RUNTIME_DIR")
	size := f.String("cache-bytes", getenv(protocol.EnvCacheBytes),
		"memory for cached repositories, with K, M or G; by default a quarter of the machine's, or of the control group's. HGBROKER_CACHE_BYTES")
	f.IntVar(&config.MaxWorkers, "max-workers", config.MaxWorkers,
		"commands that run at once; 0 means twice the number of cores, and at least 4. HGBROKER_MAX_WORKERS")
	f.DurationVar(&config.IdleTimeout, "idle-timeout", config.IdleTimeout,
		"how long a master without clients stays; 0 means 10m. HGBROKER_IDLE_TIMEOUT")
	f.StringVar(&config.Log, "log", getenv(protocol.EnvLog), "file that broker and master append their log to. HGBROKER_LOG")
	f.BoolVar(&config.Trace, "trace", config.Trace, "log every request and every command. HGBROKER_TRACE")
	switch role {
	case "mcp":
		o.mcp = true
		f.BoolVar(&o.writes, "allow-writes", false, "mcp: add a tool that runs any hg command")
	case "stats":
		f.BoolVar(&o.json, "json", false, "stats: print JSON")
	case "master":
		f.StringVar(&o.build, "build", "", "master: the build id that clients must name")
		_ = f.MarkHidden("build")
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.help {
		o.usage = usageHead + f.FlagUsagesWrapped(100)
		if role != "stats" {
			o.usage += "\n\"hgbroker stats\" also takes --json, and \"hgbroker mcp\" takes --allow-writes. Flags that change the master (from --runtime-dir on) are part\n" +
				"of its socket's name: brokers with different ones use masters of their own.\n"
		}
		return o, nil
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if o.framing, err = protocol.ParseFraming(*framing); err != nil {
		return nil, err
	}
	var ok bool
	if o.fallback, ok = broker.ParseFallback(*fallback); !ok {
		return nil, fmt.Errorf("fallback %q: must be auto, never or always", *fallback)
	}
	if *size != "" {
		if config.CacheBytes, err = protocol.ParseBytes(*size); err != nil {
			return nil, fmt.Errorf("--cache-bytes: %w", err)
		}
	}
	if config.MaxWorkers < 0 || config.IdleTimeout < 0 {
		return nil, fmt.Errorf("--max-workers and --idle-timeout cannot be negative")
	}
	config.IdleTimeout = config.IdleTimeout.Round(time.Millisecond)
	if config.Log != "" {
		if config.Log, err = filepath.Abs(config.Log); err != nil {
			return nil, fmt.Errorf("--log: %w", err)
		}
	}
	o.config = config
	return o, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// dialer is how this process reaches its master.
func (o *options) dialer(client string) (protocol.Dialer, error) {
	exe, err := os.Executable()
	if err != nil {
		return protocol.Dialer{}, fmt.Errorf("find my own executable: %w", err)
	}
	return protocol.Dialer{Executable: exe, RuntimeDir: o.runtime, Config: o.config, Client: client}, nil
}

// openLog opens the log; nil without one.
func (o *options) openLog() (*os.File, error) {
	if o.config.Log == "" {
		return nil, nil
	}
	f, err := os.OpenFile(o.config.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return f, nil
}
