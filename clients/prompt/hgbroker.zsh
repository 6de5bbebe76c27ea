# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mercurial in zsh's prompt, through hgbroker's drop-in hg. Source this file, then
#
#     setopt prompt_subst
#     PROMPT='%~${hg_prompt:+ ($hg_prompt)} %# '
#
# Before each prompt hg_prompt is set, and what it consists of, which may be used
# instead: hg_prompt_branch, _bookmark, _changed, _unknown, _operation, _conflicts.
# Use them as above, by reference: whoever names a branch must not write your prompt.

hg_prompt_update() {
	emulate -L zsh
	typeset -g hg_prompt= hg_prompt_branch= hg_prompt_bookmark= hg_prompt_changed= hg_prompt_unknown= hg_prompt_operation= hg_prompt_conflicts=
	local root=$PWD line out match mbegin mend MATCH MBEGIN MEND
	# Outside of repositories nothing is run.
	while [[ ! -d $root/.hg ]]; do
		[[ -n $root ]] || return 0
		root=${root%/*}
	done
	# The extensions add lines to the summary that nobody needs here and that are not native.
	out=$(HGPLAIN=1 HGPLAINEXCEPT= command ${HG_PROMPT_HG:-hg} summary \
		--config 'extensions.histedit=!' --config 'extensions.hgext.histedit=!' \
		--config 'extensions.mq=!' --config 'extensions.hgext.mq=!' \
		--config 'extensions.transplant=!' --config 'extensions.hgext.transplant=!' </dev/null 2>/dev/null)
	for line in ${(f)out}; do
		case $line in
		'branch: '*) hg_prompt_branch=${line#branch: } ;;
		'bookmarks: '[*[]*) [[ -r $root/.hg/bookmarks.current ]] && IFS= read -r hg_prompt_bookmark <$root/.hg/bookmarks.current ;;
		'commit: '*)
			[[ $line =~ '[0-9] (modified|added|removed|renamed|copied|deleted|subrepos)' ]] && hg_prompt_changed=+
			[[ $line =~ '[0-9] unknown' ]] && hg_prompt_unknown='?'
			[[ $line =~ '([0-9]+) unresolved' ]] && hg_prompt_conflicts=$match[1]
			[[ $line == *'(merge)'* ]] && hg_prompt_operation=merge
			;;
		esac
	done
	[[ -n $hg_prompt_branch ]] || return 0
	# What hg keeps while an operation is under way. Bisecting is not in the way of others.
	if [[ -e $root/.hg/rebasestate ]]; then hg_prompt_operation=rebase
	elif [[ -e $root/.hg/histedit-state ]]; then hg_prompt_operation=histedit
	elif [[ -e $root/.hg/shelvedstate ]]; then hg_prompt_operation=unshelve
	elif [[ -e $root/.hg/graftstate ]]; then hg_prompt_operation=graft
	elif [[ -e $root/.hg/transplant/journal ]]; then hg_prompt_operation=transplant
	elif [[ -e $root/.hg/updatestate ]]; then hg_prompt_operation=update
	elif [[ -z $hg_prompt_operation && -e $root/.hg/bisect.state ]]; then hg_prompt_operation=bisect
	fi
	# A terminal obeys control characters, and zsh's prompts obey percent signs.
	hg_prompt_branch=${${hg_prompt_branch//[[:cntrl:]]/}//\%/%%}
	hg_prompt_bookmark=${${hg_prompt_bookmark//[[:cntrl:]]/}//\%/%%}
	hg_prompt=$hg_prompt_branch${hg_prompt_bookmark:+ @$hg_prompt_bookmark}
	[[ -z $hg_prompt_changed$hg_prompt_unknown ]] || hg_prompt+=" $hg_prompt_changed$hg_prompt_unknown"
	hg_prompt+=${hg_prompt_operation:+ $hg_prompt_operation}${hg_prompt_conflicts:+ !$hg_prompt_conflicts}
}

autoload -Uz add-zsh-hook
add-zsh-hook precmd hg_prompt_update
