# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mercurial in fish's prompt, through hgbroker's drop-in hg. Put this file into
# ~/.config/fish/conf.d, and hgbroker_prompt where fish_prompt shall show it:
#
#     function fish_prompt
#         printf '%s%s> ' (prompt_pwd) (hgbroker_prompt)
#     end
#
# If fish_vcs_prompt is in use already: functions -c hgbroker_prompt fish_hg_prompt

function hgbroker_prompt --description "Mercurial: branch, bookmark, changes, operation, conflicts"
    # Outside of repositories nothing is run.
    set -l root $PWD
    while not test -d $root/.hg
        test -n "$root"; or return 0
        set root (string replace -r '/[^/]*$' '' -- $root)
    end
    set -l hg hg
    set -q HG_PROMPT_HG; and set hg $HG_PROMPT_HG
    set -l branch
    set -l bookmark
    set -l changed
    set -l unknown
    set -l operation
    set -l conflicts
    # The extensions add lines to the summary that nobody needs here and that are not native.
    for line in (HGPLAIN=1 HGPLAINEXCEPT= command $hg summary \
            --config extensions.histedit=! --config extensions.hgext.histedit=! \
            --config extensions.mq=! --config extensions.hgext.mq=! \
            --config extensions.transplant=! --config extensions.hgext.transplant=! </dev/null 2>/dev/null)
        switch $line
            case 'branch: *'
                set branch (string replace 'branch: ' '' -- $line)
            case 'bookmarks: \**' 'bookmarks: [*'
                test -r $root/.hg/bookmarks.current; and read bookmark <$root/.hg/bookmarks.current
            case 'commit: *'
                string match -qr '[0-9] (modified|added|removed|renamed|copied|deleted|subrepos)' -- $line; and set changed +
                string match -qr '[0-9] unknown' -- $line; and set unknown '?'
                set conflicts (string match -r '([0-9]+) unresolved' -- $line)[2]
                string match -q '*(merge)*' -- $line; and set operation merge
        end
    end
    test -n "$branch"; or return 0
    # What hg keeps while an operation is under way. Bisecting is not in the way of others.
    if test -e $root/.hg/rebasestate
        set operation rebase
    else if test -e $root/.hg/histedit-state
        set operation histedit
    else if test -e $root/.hg/shelvedstate
        set operation unshelve
    else if test -e $root/.hg/graftstate
        set operation graft
    else if test -e $root/.hg/transplant/journal
        set operation transplant
    else if test -e $root/.hg/updatestate
        set operation update
    else if test -z "$operation" -a -e $root/.hg/bisect.state
        set operation bisect
    end
    # A terminal obeys control characters.
    set -l text (string replace -ar '[[:cntrl:]]' '' -- $branch)
    test -n "$bookmark"; and set text "$text @"(string replace -ar '[[:cntrl:]]' '' -- $bookmark)
    test -n "$changed$unknown"; and set text "$text $changed$unknown"
    test -n "$operation"; and set text "$text $operation"
    test -n "$conflicts"; and set text "$text !$conflicts"
    printf ' (%s)' $text
end
