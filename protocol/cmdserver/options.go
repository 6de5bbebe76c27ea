// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver

import (
	"strings"
	"sync"
)

// hg's global options, as far as they must be known to see which ones a command
// line has (`hg help -v`). The value says whether the option takes one.
var globalLong = sync.OnceValue(func() map[string]bool {
	return map[string]bool{
		"repository": true, "repo": true, "cwd": true, "config": true, "config-file": true, "encoding": true,
		"encodingmode": true, "color": true, "pager": true, "noninteractive": false, "quiet": false, "verbose": false,
		"debug": false, "debugger": false, "traceback": false, "time": false, "profile": false, "version": false,
		"help": false, "hidden": false,
	}
})

// globalShort are the same in one letter, with their long names.
var globalShort = map[byte]string{'R': "repository", 'y': "noninteractive", 'q': "quiet", 'v': "verbose", 'h': "help"}

// Option is one global option on a command line.
type Option struct {
	Name  string // the long name
	Value string // "" for one without
	At    int    // index of its first word
	Words int    // 1, or 2 when the value is a word of its own
}

// EarlyOptions finds the global options that hg acts upon before it knows the
// command: spelled out in full, anywhere in front of "--", or only at the
// beginning when strict (HGPLAIN=+strictflags). Options of the command are not
// known, so the value of one may be taken for an option, as it is by hg.
func EarlyOptions(args []string, strict bool) []Option {
	var found []Option
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			break
		}
		if len(word) < 2 || word[0] != '-' {
			if strict {
				break
			}
			continue
		}
		o := Option{At: i, Words: 1}
		joined := false
		if long, ok := strings.CutPrefix(word, "--"); ok {
			o.Name, o.Value, joined = strings.Cut(long, "=")
		} else {
			o.Name, o.Value = globalShort[word[1]], word[2:]
			joined = o.Value != ""
		}
		takes, known := globalLong()[o.Name]
		if !known || joined && !takes {
			if strict {
				break
			}
			continue
		}
		if takes && !joined {
			if i+1 == len(args) {
				break
			}
			o.Value, o.Words = args[i+1], 2
			i++
		}
		if o.Name == "repo" {
			o.Name = "repository"
		}
		found = append(found, o)
	}
	return found
}

// Serve is the command line of a command server.
type Serve struct {
	Mode       string // pipe, unix or chgunix
	Address    string // of unix and chgunix
	PostExec   []string
	Repository string
	Cwd        string
	// Config are the items that stay for all commands of the session, in order,
	// those that stand for flags among them.
	Config                 []string
	Encoding, EncodingMode string
}

// ParseServe reads the arguments of hg when they ask for a command server in
// words that mean the same in any configuration: everything spelled out, nothing
// that it does not know. Otherwise ok is false.
func ParseServe(args []string) (s *Serve, ok bool) {
	s = &Serve{}
	var verbose, quiet, debug, command bool
	into := map[string]*string{"cmdserver": &s.Mode, "address": &s.Address, "a": &s.Address, "repository": &s.Repository,
		"repo": &s.Repository, "R": &s.Repository, "cwd": &s.Cwd, "encoding": &s.Encoding, "encodingmode": &s.EncodingMode}
	for i := 0; i < len(args); i++ {
		word := args[i]
		name, value, joined := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		switch {
		case strings.HasPrefix(word, "--"):
		case len(word) > 1 && word[0] == '-':
			name, value, joined = word[1:2], word[2:], len(word) > 2
		case word == "serve" && !command:
			command = true
			continue
		default:
			return nil, false
		}
		switch name {
		case "verbose", "v":
			verbose = true
		case "quiet", "q":
			quiet = true
		case "debug":
			debug = true
		case "noninteractive", "y":
			s.Config = append(s.Config, "ui.interactive=off")
		case "no-profile":
		default:
			target := into[name]
			if target == nil && name != "config" && name != "daemon-postexec" {
				return nil, false
			}
			if !joined {
				if i++; i == len(args) {
					return nil, false
				}
				value = args[i]
			}
			switch {
			case target != nil:
				*target = value
			case name == "config":
				s.Config = append(s.Config, value)
			default:
				s.PostExec = append(s.PostExec, value)
			}
			continue
		}
		if joined {
			return nil, false
		}
	}
	if verbose || quiet || debug {
		for _, flag := range []struct {
			name string
			on   bool
		}{{"verbose", verbose}, {"debug", debug}, {"quiet", quiet}} {
			value := "False"
			if flag.on {
				value = "True"
			}
			s.Config = append(s.Config, "ui."+flag.name+"="+value)
		}
	}
	switch s.Mode {
	case "pipe":
		ok = s.Address == "" && len(s.PostExec) == 0
	case "unix", "chgunix":
		ok = s.Address != ""
	}
	return s, ok && command
}
