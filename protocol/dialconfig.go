// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Names of the environment twins of hgbroker's flags. The drop-in hg, whose
// flags are Mercurial's, knows only these.
const (
	EnvExecutable  = "HGBROKER_EXE"
	EnvFallback    = "HGBROKER_FALLBACK"
	EnvHg          = "HGBROKER_HG"
	EnvRuntimeDir  = "HGBROKER_RUNTIME_DIR"
	EnvCacheBytes  = "HGBROKER_CACHE_BYTES"
	EnvMaxWorkers  = "HGBROKER_MAX_WORKERS"
	EnvIdleTimeout = "HGBROKER_IDLE_TIMEOUT"
	EnvFraming     = "HGBROKER_FRAMING"
	EnvLog         = "HGBROKER_LOG"
	EnvTrace       = "HGBROKER_TRACE"
	// EnvNested counts how deep real hgs were started by us inside each other.
	// An hg of ours that is started by one steps aside at once.
	EnvNested = "HGBROKER_NESTED"
)

// MasterConfig is what changes how a master behaves. Clients of different
// configurations have masters of their own. Zero values are the master's
// defaults.
type MasterConfig struct {
	CacheBytes  int64
	MaxWorkers  int
	IdleTimeout time.Duration
	Log         string // absolute path, "" for none
	Trace       bool
}

// MasterConfigFromEnv reads the environment twins.
func MasterConfigFromEnv(getenv func(string) string) (MasterConfig, error) {
	var c MasterConfig
	var err error
	if v := getenv(EnvCacheBytes); v != "" {
		if c.CacheBytes, err = ParseBytes(v); err != nil {
			return c, fmt.Errorf("%s: %w", EnvCacheBytes, err)
		}
	}
	if v := getenv(EnvMaxWorkers); v != "" {
		if c.MaxWorkers, err = strconv.Atoi(v); err != nil || c.MaxWorkers < 0 {
			return c, fmt.Errorf("%s: %q is not a count", EnvMaxWorkers, v)
		}
	}
	if v := getenv(EnvIdleTimeout); v != "" {
		if c.IdleTimeout, err = time.ParseDuration(v); err != nil || c.IdleTimeout < 0 {
			return c, fmt.Errorf("%s: %q is not a duration", EnvIdleTimeout, v)
		}
	}
	if v := getenv(EnvLog); v != "" {
		if c.Log, err = filepath.Abs(v); err != nil {
			return c, fmt.Errorf("%s: %w", EnvLog, err)
		}
	}
	c.Trace = ParseSwitch(getenv(EnvTrace))
	return c, nil
}

// ParseSwitch reads a yes-or-no of the environment: empty, 0, no, false and off
// are no.
func ParseSwitch(v string) bool {
	switch strings.ToLower(v) {
	case "", "0", "no", "false", "off":
		return false
	}
	return true
}

// ParseBytes reads a size: a number, and K, M or G (powers of 1024).
func ParseBytes(s string) (int64, error) {
	num, shift := s, 0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		}
		if shift > 0 {
			num = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(num, 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return n << shift, nil
}

// args are the master's flags.
func (c MasterConfig) args() []string {
	var args []string
	if c.CacheBytes > 0 {
		args = append(args, "--cache-bytes="+strconv.FormatInt(c.CacheBytes, 10))
	}
	if c.MaxWorkers > 0 {
		args = append(args, "--max-workers="+strconv.Itoa(c.MaxWorkers))
	}
	if c.IdleTimeout > 0 {
		args = append(args, "--idle-timeout="+c.IdleTimeout.String())
	}
	if c.Log != "" {
		args = append(args, "--log="+c.Log)
	}
	if c.Trace {
		args = append(args, "--trace")
	}
	return args
}

func (c MasterConfig) key() string { return strings.Join(c.args(), "\x00") }

// masterEnv is env without our own variables: the master's settings come as
// flags, and nothing of one client may leak into another's commands.
func masterEnv(env []string) []string {
	out := make([]string, 0, len(env))
	for _, kv := range env {
		if !strings.HasPrefix(kv, "HGBROKER_") {
			out = append(out, kv)
		}
	}
	return out
}
