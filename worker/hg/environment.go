// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"slices"
	"strings"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/encoding"
)

// environment is a client's environment, with what follows from it alone. It is
// worked out once for all commands that come with the same one.
type environment struct {
	vars   []string
	byName map[string]string
	lookup func(name string) (string, bool) // get

	settings    encoding.Settings
	settingsErr error
	laid        cmdline.Values // defaults of global options
	strict      bool           // HGPLAIN asks for strict flags
	zone        *time.Location // nil until it was asked for
}

// keptEnvironments is how many are remembered.
const keptEnvironments = 8

// environment returns the record of an environment. Comparing costs little: the
// strings of one channel are the same memory for each of its commands.
func (e *Engine) environment(vars []string) *environment {
	for i, env := range e.environments {
		if slices.Equal(env.vars, vars) {
			copy(e.environments[1:i+1], e.environments[:i])
			e.environments[0] = env
			return env
		}
	}
	env := newEnvironment(vars)
	if len(e.environments) >= keptEnvironments {
		e.environments = e.environments[:keptEnvironments-1]
	}
	e.environments = append([]*environment{env}, e.environments...)
	return env
}

func newEnvironment(vars []string) *environment {
	env := &environment{vars: slices.Clone(vars), byName: make(map[string]string, len(vars))}
	env.lookup = env.get
	for _, v := range vars {
		if name, value, ok := strings.Cut(v, "="); ok {
			env.byName[name] = value // of a name that comes twice the last one counts
		}
	}
	env.settings, env.settingsErr = encoding.FromEnvironment(env.get)
	env.laid = cmdline.Values{{Name: "encoding", Value: cmdline.Value{Text: env.settings.Name}},
		{Name: "encodingmode", Value: cmdline.Value{Text: env.settings.Mode}}}
	env.strict = slices.Contains(strings.Split(env.byName["HGPLAIN"], ","), "+strictflags")
	return env
}

func (env *environment) get(name string) (string, bool) {
	v, ok := env.byName[name]
	return v, ok
}

// location is the client's time zone.
func (env *environment) location() (*time.Location, error) {
	if env.zone == nil {
		tz, set := env.get("TZ")
		loc, err := dates.Location(tz, set)
		if err != nil {
			return nil, err
		}
		env.zone = loc
	}
	return env.zone, nil
}
