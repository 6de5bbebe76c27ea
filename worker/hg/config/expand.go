// SPDX-License-Identifier: GPL-2.0-or-later

package config

import "strings"

// expandVariables replaces $NAME and ${NAME} as os.path.expandvars does: an
// unknown variable stays as it is, and a value is not expanded again.
func (s *Sources) expandVariables(path string) string {
	var b strings.Builder
	lastBrace := strings.LastIndexByte(path, '}')
	whole := len(path)
	for {
		i := strings.IndexByte(path, '$')
		if i < 0 {
			break
		}
		name, length := "", 0
		if !strings.HasPrefix(path[i+1:], "{") || whole-len(path)+i < lastBrace {
			name, length = variable(path[i+1:])
		}
		if length == 0 {
			b.WriteString(path[:i+1])
			path = path[i+1:]
			continue
		}
		b.WriteString(path[:i])
		if v, ok := s.getenv(name); ok {
			b.WriteString(v)
		} else {
			b.WriteString(path[i : i+1+length])
		}
		path = path[i+1+length:]
	}
	b.WriteString(path)
	return b.String()
}

// variable reads the name after a '$' and tells how many bytes it takes.
func variable(s string) (name string, length int) {
	if strings.HasPrefix(s, "{") {
		i := strings.IndexByte(s, '}')
		if i < 0 {
			return "", 0
		}
		return s[1:i], i + 1
	}
	for length < len(s) && isWord(s[length]) {
		length++
	}
	return s[:length], length
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// expandUser replaces a leading ~ or ~user as os.path.expanduser does.
func (s *Sources) expandUser(path string) string {
	if !strings.HasPrefix(path, "~") {
		return path
	}
	user, rest := path[1:], ""
	if i := strings.IndexByte(path, '/'); i >= 0 {
		user, rest = path[1:i], path[i:]
	}
	var home string
	var ok bool
	if user == "" {
		if home, ok = s.getenv("HOME"); !ok {
			home, ok = s.users().HomeByID(s.UID)
		}
	} else {
		home, ok = s.users().HomeByName(user)
	}
	if !ok {
		return path
	}
	if p := strings.TrimRight(home, "/") + rest; p != "" {
		return p
	}
	return "/"
}

// ExpandPath replaces variables and then the home directory, as hg does with
// every path that a user writes into a configuration.
func (s *Sources) ExpandPath(path string) string {
	return s.expandUser(s.expandVariables(path))
}

// normalize is os.path.normpath: path.Clean, but two leading slashes stay.
func normalize(p string) string {
	if p == "" {
		return "."
	}
	lead := ""
	if p[0] == '/' {
		lead = "/"
		if strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
			lead = "//"
		}
	}
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "" || part == ".":
		case part == ".." && len(parts) > 0 && parts[len(parts)-1] != "..":
			parts = parts[:len(parts)-1]
		case part == ".." && lead != "":
		default:
			parts = append(parts, part)
		}
	}
	if p = lead + strings.Join(parts, "/"); p == "" {
		return "."
	}
	return p
}

// join is os.path.join for two parts.
func join(dir, name string) string {
	switch {
	case strings.HasPrefix(name, "/") || dir == "":
		return name
	case strings.HasSuffix(dir, "/"):
		return dir + name
	}
	return dir + "/" + name
}

// dirname is os.path.dirname.
func dirname(p string) string {
	head := p[:strings.LastIndexByte(p, '/')+1]
	if trimmed := strings.TrimRight(head, "/"); trimmed != "" {
		return trimmed
	}
	return head
}
