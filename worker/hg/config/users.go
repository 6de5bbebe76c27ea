// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"os/user"
	"strconv"
)

// Users answers what hg asks the user database: names for messages about
// trust, and home directories for "~".
type Users interface {
	// UserName and GroupName return false when the id has no name.
	UserName(uid uint32) (string, bool)
	GroupName(gid uint32) (string, bool)
	HomeByID(uid uint32) (string, bool)
	HomeByName(name string) (string, bool)
}

// SystemUsers is the machine's user database.
type SystemUsers struct{}

func decimal(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// UserName implements Users.
func (SystemUsers) UserName(uid uint32) (string, bool) {
	u, err := user.LookupId(decimal(uid))
	if err != nil {
		return "", false
	}
	return u.Username, true
}

// GroupName implements Users.
func (SystemUsers) GroupName(gid uint32) (string, bool) {
	g, err := user.LookupGroupId(decimal(gid))
	if err != nil {
		return "", false
	}
	return g.Name, true
}

// HomeByID implements Users.
func (SystemUsers) HomeByID(uid uint32) (string, bool) {
	u, err := user.LookupId(decimal(uid))
	if err != nil {
		return "", false
	}
	return u.HomeDir, true
}

// HomeByName implements Users.
func (SystemUsers) HomeByName(name string) (string, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", false
	}
	return u.HomeDir, true
}

func (s *Sources) users() Users {
	if s.Users != nil {
		return s.Users
	}
	return SystemUsers{}
}

// userName is the name of uid, or its number.
func (s *Sources) userName(uid uint32) string {
	if name, ok := s.users().UserName(uid); ok {
		return name
	}
	return decimal(uid)
}

// groupName is the name of gid, or its number.
func (s *Sources) groupName(gid uint32) string {
	if name, ok := s.users().GroupName(gid); ok {
		return name
	}
	return decimal(gid)
}
