// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"bufio"
	"errors"
	"os"
	"strings"

	"hgbroker/clients/hg/realhg"
	"hgbroker/protocol/cmdserver"
)

// Wanted tells whether a command line may ask for a command server. It costs
// next to nothing.
func Wanted(args []string) bool {
	serve, mode := false, false
	for _, a := range args {
		serve = serve || a == "serve"
		mode = mode || strings.HasPrefix(a, "--cmdserver")
	}
	return serve && mode
}

// Main serves what args ask for, until its end. Without served it did nothing,
// and this is for the real hg.
func Main(args []string) (code int, served bool) {
	line, ok := cmdserver.ParseServe(args)
	if !ok {
		return 0, false
	}
	if connection := os.Getenv(envConnection); connection != "" {
		return serveConnection(args, line, connection), true
	}
	if line.Mode != "pipe" {
		return listen(args, line)
	}
	s, err := newSession(args, line)
	if err == nil {
		err = s.settle()
	}
	if err != nil {
		return refuse(err, s)
	}
	s.in, s.out = bufio.NewReader(os.Stdin), bufio.NewWriterSize(os.Stdout, 64<<10)
	s.watch()
	return s.serve(), true
}

// refuse is what becomes of a command line that is not served here.
func refuse(err error, s *Session) (code int, served bool) {
	var end errEnd
	if errors.As(err, &end) {
		return int(end), true // the real hg has said why
	}
	if s != nil {
		s.close()
		if s.policy == "never" {
			s.complain("hgbroker: " + err.Error() + "\n")
			return realhg.Failure, true
		}
	}
	return 0, false
}
