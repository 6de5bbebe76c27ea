# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks the real mercurial.match, for match's tests: one JSON object a line in,
# one out. Byte strings travel as latin-1.
import json
import re
import sys
import warnings

from mercurial import error, match

warnings.simplefilter('error')


def b(s):
    return s.encode('latin-1')


def s(x):
    return x.decode('latin-1')


def visit(v):
    return 'all' if v == b'all' else 'this' if v else 'no'


def children(v):
    if isinstance(v, bytes):
        return s(v)
    return sorted(map(s, v)) if v else 'no'


def ask(q):
    warned = []
    try:
        m = match.match(
            b(q['root']),
            b(q['cwd']),
            [b(p) for p in q['patterns']],
            [b(p) for p in q['include']],
            [b(p) for p in q['exclude']],
            b(q['default']),
            warn=lambda text: warned.append(s(text)),
        )
        # What a subinclude names is read only now.
        return {
            'repr': s(m.__bytes__()) if hasattr(m, '__bytes__') else repr(m),
            'warned': warned,
            'files': [s(f) for f in m.files()],
            'kind': [bool(m.always()), bool(m.isexact()), bool(m.prefix())],
            'match': ''.join('1' if m(b(p)) else '0' for p in q['paths']),
            'exact': ''.join('1' if m.exact(b(p)) else '0' for p in q['paths']),
            'visit': [visit(m.visitdir(b(p))) for p in q['paths']],
            'children': [children(m.visitchildrenset(b(p))) for p in q['paths']],
        }
    except error.Abort as e:
        return {'error': s(e.message), 'hint': s(e.hint or b''), 'warned': warned}
    except (
        AssertionError, FutureWarning, DeprecationWarning, RecursionError,
        ValueError, OverflowError, error.ProgrammingError, re.error, OSError,
    ) as e:
        return {'crash': repr(e)}


for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
