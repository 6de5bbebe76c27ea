# SPDX-License-Identifier: GPL-2.0-or-later
# Lists the names that Mercurial's own tables of the template language have.
from mercurial import templatefilters, templatefuncs, templatekw, ui

try:
    from mercurial import initialization

    initialization.init()
except ImportError:
    pass
ui.ui.load()
for kind, table in (
    ('keyword', templatekw.keywords),
    ('filter', templatefilters.filters),
    ('function', templatefuncs.funcs),
):
    for name in sorted(table):
        print(kind, name.decode())
