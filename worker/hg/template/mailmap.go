// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"regexp"
	"strings"
	"sync"

	"hgbroker/worker/hg/config/python"
)

// mailPerson is a name with an address; anyName stands for any name.
type mailPerson struct {
	name, email string
	anyName     bool
}

// parseMailmap reads a .mailmap, which says who somebody ought to be called:
//
//	Proper Name <commit@address>
//	<proper@address> <commit@address>
//	Proper Name <proper@address> [Commit Name] <commit@address>
//
// A word that starts with # ends a line. Lines that are none of these are
// passed over, and so is what follows a second address.
func parseMailmap(text string) map[mailPerson]mailPerson {
	known := map[mailPerson]mailPerson{}
	for _, line := range SplitLines(text) {
		var names, emails, words []string
		space := func(r rune) bool { return strings.ContainsRune(python.Space, r) }
		for _, word := range strings.FieldsFunc(line, space) {
			if word[0] == '#' || len(emails) == 2 {
				break
			}
			if word[0] == '<' && word[len(word)-1] == '>' {
				emails = append(emails, word[1:len(word)-1])
				if len(words) > 0 {
					names = append(names, strings.Join(words, " "))
					words = nil
				}
				continue
			}
			words = append(words, word)
		}
		if len(emails) == 0 || len(names) == 0 && len(emails) < 2 {
			continue
		}
		who := mailPerson{email: emails[len(emails)-1], anyName: len(names) != 2}
		if !who.anyName {
			who.name = names[1]
		}
		proper := mailPerson{email: emails[0], anyName: len(names) == 0}
		if !proper.anyName {
			proper.name = names[0]
		}
		known[who] = proper
	}
	return known
}

// wellFormed is an author that the map is asked about: a name, white space, an
// address in angle brackets.
var wellFormed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^<]+[ \t\n\r\f\v]<[^<>]+@[^<>]+>\n?$`) })

// mapName is an author by the map: by name and address, or else by address. ok
// is false for one that the map does not touch at all; others are put together
// anew even if nobody is found.
func mapName(known map[mailPerson]mailPerson, author string) (mapped string, ok bool) {
	if len(known) == 0 || !wellFormed().MatchString(author) {
		return "", false
	}
	name, address := string(person(nil, []byte(author))), string(email(nil, []byte(author)))
	proper, ok := known[mailPerson{name: name, email: address}]
	if !ok {
		proper = known[mailPerson{email: address, anyName: true}]
	}
	if proper.name != "" {
		name = proper.name
	}
	if proper.email != "" {
		address = proper.email
	}
	return name + " <" + address + ">", true
}

func mailmapFunc(s *scope, args *callArgs) (Value, error) {
	if len(args.pos) != 1 {
		return Value{}, parseErrorf("mailmap expects one argument")
	}
	author, err := evalText(s, args.pos[0])
	if err != nil {
		return Value{}, err
	}
	reader, ok := s.e.repo.(FileReader)
	if !ok {
		return Value{}, &unavailable{"repo"}
	}
	if s.e.mailmap == nil {
		text, err := reader.WorkingFile(".mailmap")
		if err != nil {
			return Value{}, err
		}
		s.e.mailmap = parseMailmap(string(text))
	}
	if mapped, ok := mapName(s.e.mailmap, author.s); ok {
		return Bytes(mapped), nil
	}
	return author, nil
}
