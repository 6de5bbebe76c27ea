// SPDX-License-Identifier: GPL-2.0-or-later

package fileset

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/language"
)

// units are the suffixes of sizes, in the order in which hg tries them.
var units = []struct {
	suffix string
	bytes  float64
}{{"m", 1 << 20}, {"k", 1 << 10}, {"g", 1 << 30}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"b", 1}}

// largestSize bounds the numbers that are calculated with; nothing is larger.
const largestSize = 1 << 52

// decimal is what Python's float() takes, without the spellings that odd takes.
var (
	decimal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$`) })
	integer = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[+-]?[0-9]+$`) })
	odd     = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[+-]?(?:inf|infinity|nan|[0-9._]+(?:e[+-]?[0-9_]+)?)$`)
	})
)

// parseSizes reads the argument of size(): sizes from lo to hi bytes match.
func parseSizes(expr string) (lo, hi int64, err error) {
	expr = strings.Trim(expr, language.Space)
	lo, hi = math.MinInt64, math.MaxInt64
	if a, b, ok := strings.Cut(expr, "-"); ok {
		if lo, err = parseSize(a); err != nil {
			return 0, 0, err
		}
		hi, err = parseSize(b)
		return lo, hi, err
	}
	for _, op := range []string{"<=", "<", ">=", ">"} {
		rest, ok := strings.CutPrefix(expr, op)
		if !ok {
			continue
		}
		n, err := parseSize(rest)
		switch op {
		case "<=":
			hi = n
		case "<":
			hi = n - 1
		case ">=":
			lo = n
		case ">":
			lo = n + 1
		}
		return lo, hi, err
	}
	if lo, err = parseSize(expr); err != nil {
		return 0, 0, err
	}
	hi, err = largest(strings.ToLower(expr), lo)
	return lo, hi, err
}

// split takes the unit off a size; unit is 0 without one.
func split(s string) (number string, unit float64) {
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			return n, u.bytes
		}
	}
	return s, 0
}

// parseSize reads "30", "2.2kb" or "6M".
func parseSize(s string) (int64, error) {
	number, unit := split(strings.ToLower(strings.Trim(s, language.Space)))
	number = strings.Trim(number, language.Space)
	wrong := parseErrorf("couldn't parse size: %s", s)
	if unit == 0 {
		switch {
		case !integer().MatchString(number) && !strings.Contains(number, "_"):
			return 0, wrong
		case !integer().MatchString(number):
			return 0, errOddSize(s)
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n > largestSize || n < -largestSize {
			return 0, errOddSize(s)
		}
		return n, nil
	}
	if !decimal().MatchString(number) {
		if odd().MatchString(number) {
			return 0, errOddSize(s)
		}
		return 0, wrong
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(f*unit) > largestSize {
		return 0, errOddSize(s)
	}
	return int64(f * unit), nil
}

// errOddSize is about what Python reads as a number and this package does not.
func errOddSize(s string) error { return hgerr.NewUnsupported("fileset size(%s)", s) }

// largest is the largest size that is still called s: 4k is up to 5k-1 bytes,
// 4.5k up to 4.6k-1. n is s as bytes.
func largest(s string, n int64) (int64, error) {
	number, unit := split(s)
	if unit == 0 {
		return n, nil
	}
	step := 1.0
	if _, fraction, ok := strings.Cut(number, "."); ok {
		if len(fraction) > 15 {
			return 0, errOddSize(s)
		}
		step /= math.Pow10(len(fraction))
	}
	f, err := strconv.ParseFloat(strings.Trim(number, language.Space), 64)
	if err != nil {
		return 0, errOddSize(s)
	}
	return int64((f+step)*unit) - 1, nil
}
