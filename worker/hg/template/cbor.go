// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"encoding/binary"
	"math/big"
	"sort"

	"hgbroker/worker/hg/hgerr"
)

// CBOR (RFC 7049) as hg writes it: byte strings, integers, arrays, maps with
// sorted keys, false, true and null; see cborutil.py.
const (
	cborUint  = 0
	cborNint  = 1
	cborBytes = 2
	cborArray = 4
	cborMap   = 5
)

func cborFilter(s *scope, v Value) (Value, error) {
	b, err := appendCBOR(nil, s, v)
	return Bytes(string(b)), err
}

// AppendCBOR appends a value of a formatter's item as CBOR.
func AppendCBOR(dst []byte, v Value) ([]byte, error) { return appendCBOR(dst, nil, v) }

// AppendCBORMap appends a map of names to values.
func AppendCBORMap(dst []byte, entries []Binding) ([]byte, error) {
	d := &dict{}
	for _, b := range entries {
		d.set(b.Name, b.Value)
	}
	return appendCBOR(dst, nil, Value{kind: kindDict, x: d})
}

func appendHead(dst []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

func appendCBOR(dst []byte, s *scope, v Value) ([]byte, error) {
	var err error
	switch v.kind {
	case kindNone:
		return append(dst, 0xf6), nil
	case kindBool:
		return append(dst, 0xf4+byte(v.n)), nil
	case kindInt:
		if _, huge := v.x.(*big.Int); huge {
			break
		}
		if v.n < 0 {
			return appendHead(dst, cborNint, uint64(-(v.n + 1))), nil
		}
		return appendHead(dst, cborUint, uint64(v.n)), nil
	case kindBytes:
		return append(appendHead(dst, cborBytes, uint64(len(v.s))), v.s...), nil
	case kindDate:
		return appendCBOR(dst, s, PlainTuple([]Value{Int(v.n), Int(int64(v.tz))}))
	case kindList, kindTuple:
		dst = appendHead(dst, cborArray, uint64(len(v.list())))
		for _, item := range v.list() {
			if dst, err = appendCBOR(dst, s, item); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case kindRevs:
		revs := v.x.(*revslist).revs
		dst = appendHead(dst, cborArray, uint64(len(revs)))
		for _, r := range revs {
			if dst, err = appendCBOR(dst, s, Int(int64(r))); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case kindDict:
		d := v.x.(*dict)
		keys := append([]string(nil), d.keys...)
		sort.Strings(keys)
		dst = appendHead(dst, cborMap, uint64(len(keys)))
		for _, k := range keys {
			dst, _ = appendCBOR(dst, s, Bytes(k))
			item, _ := d.get(k)
			if dst, err = appendCBOR(dst, s, item); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case kindWrapped:
		plain, err := valueOf(v, s)
		if err != nil {
			return dst, err
		}
		return appendCBOR(dst, s, plain)
	}
	return dst, hgerr.NewUnsupported("cbor of a value that hg cannot encode")
}
