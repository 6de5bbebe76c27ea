// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"slices"
	"strings"
	"sync"
	"time"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/dates"
	"hgbroker/worker/hg/encoding"
)

// environment is a client's environment, with what follows from it alone. It is
// worked out once for all commands that come with the same one, or with one that
// answers all that was asked in the same way: a shell has another one in every
// directory.
type environment struct {
	vars   []string
	byName map[string]string
	lookup func(name string) (string, bool) // get

	mu    sync.Mutex // guards asked
	asked map[string]variable

	settings    encoding.Settings
	settingsErr error
	laid        cmdline.Values // defaults of global options
	strict      bool           // HGPLAIN asks for strict flags
	zone        *time.Location // nil until it was asked for
}

// variable is the value of a variable, and whether it is set.
type variable struct {
	value string
	set   bool
}

// keptEnvironments is how many are remembered.
const keptEnvironments = 8

// environment returns the record of an environment. Comparing costs little: the
// strings of one channel are the same memory for each of its commands.
func (e *Engine) environment(vars []string) *environment {
	use := func(i int) *environment {
		env := e.environments[i]
		copy(e.environments[1:i+1], e.environments[:i])
		e.environments[0] = env
		return env
	}
	for i, env := range e.environments {
		if slices.Equal(env.vars, vars) {
			return use(i)
		}
	}
	byName := variables(vars)
	for i, env := range e.environments {
		if env.agrees(byName) {
			env.vars, env.byName = slices.Clone(vars), byName
			return use(i)
		}
	}
	env := newEnvironment(vars, byName)
	if len(e.environments) >= keptEnvironments {
		e.environments = e.environments[:keptEnvironments-1]
	}
	e.environments = append([]*environment{env}, e.environments...)
	return env
}

// variables are those of an environment; of a name that comes twice the last one
// counts.
func variables(vars []string) map[string]string {
	byName := make(map[string]string, len(vars))
	for _, v := range vars {
		if name, value, ok := strings.Cut(v, "="); ok {
			byName[name] = value
		}
	}
	return byName
}

func newEnvironment(vars []string, byName map[string]string) *environment {
	env := &environment{vars: slices.Clone(vars), byName: byName, asked: map[string]variable{}}
	env.lookup = env.get
	env.settings, env.settingsErr = encoding.FromEnvironment(env.get)
	env.laid = cmdline.Values{{Name: "encoding", Value: cmdline.Value{Text: env.settings.Name}},
		{Name: "encodingmode", Value: cmdline.Value{Text: env.settings.Mode}}}
	plain, _ := env.get("HGPLAIN")
	env.strict = slices.Contains(strings.Split(plain, ","), "+strictflags")
	return env
}

// get looks a variable up. What was kept of the answer counts as long as the answer
// stays the same.
func (env *environment) get(name string) (string, bool) {
	v, ok := env.byName[name]
	env.mu.Lock()
	env.asked[name] = variable{v, ok}
	env.mu.Unlock()
	return v, ok
}

// agrees tells whether all that was asked would be answered in the same way.
func (env *environment) agrees(byName map[string]string) bool {
	for name, was := range env.asked {
		if value, set := byName[name]; value != was.value || set != was.set {
			return false
		}
	}
	return true
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
