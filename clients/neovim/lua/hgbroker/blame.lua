-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Behind the cursor's line: who wrote it, when and why. One line is asked for at
-- a time (hg/annotate with a range, and with the buffer's content when that is
-- not saved), after the cursor has rested.

local broker = require('hgbroker.broker')
local text = require('hgbroker.text')

local M = {
  delay = 200, -- milliseconds of rest
  max_bytes = 1024 * 1024, -- larger buffers, when they are not saved, have no blame
  enabled = false,
}

local namespace = vim.api.nvim_create_namespace('hgbroker_blame')
local timer
local asked = 0 -- answers to older questions are not shown

--- The name in a user: without address.
function M.person(user)
  local name = user:match('^%s*(.-)%s*<')
  if name and name ~= '' then
    return name
  end
  return (user:gsub('^<', ''):match('^[^@>]*'))
end

--- What is shown for a commit of hg/annotate, or nil for a line that is not
--- committed.
function M.format(commit)
  if not commit then
    return 'not committed'
  end
  local first = text.decode(commit.desc):match('^[^\r\n]*')
  -- The date where it was made: its zone is seconds west of Greenwich.
  local day = os.date('!%Y-%m-%d', commit.date[1] - commit.date[2])
  return ('%s, %s · %s'):format(M.person(text.decode(commit.user)), day, first)
end

--- Asks who wrote a line (from 1). callback(err, commit): commit is as hg/log's,
--- nil for a line that is not committed.
function M.line(buf, dir, line, callback)
  local params = {
    repository = text.encode(dir),
    uri = text.encode(vim.api.nvim_buf_get_name(buf)),
    range = { first = line, last = line },
  }
  if vim.bo[buf].modified then
    local content = vim.api.nvim_buf_get_offset(buf, vim.api.nvim_buf_line_count(buf)) <= M.max_bytes and text.of_buffer(buf)
    if not content then
      callback({ code = broker.LOST, message = 'the buffer is too large, or has characters that its encoding has not' })
      return
    end
    params.content = text.encode(content)
  end
  broker.request('hg/annotate', params, function(err, result)
    if err then
      callback(err)
      return
    end
    local entry = result.lines[1]
    if not entry then
      callback({ code = broker.LOST, message = 'there is no such line' })
      return
    end
    callback(nil, entry.commit >= 0 and result.commits[entry.commit + 1] or nil)
  end)
end

--- Shows nothing.
function M.clear(buf)
  asked = asked + 1
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

--- The text that is shown in a buffer, nil when there is none.
function M.shown(buf)
  local mark = vim.api.nvim_buf_get_extmarks(buf, namespace, 0, -1, { details = true })[1]
  return mark and vim.trim(mark[4].virt_text[1][1])
end

--- The cursor has moved in the current buffer, or the repository has changed.
function M.moved(buf, dir)
  M.clear(buf)
  if not M.enabled then
    return
  end
  timer = timer or vim.loop.new_timer()
  timer:start(M.delay, 0, vim.schedule_wrap(function()
    if not M.enabled or vim.api.nvim_get_current_buf() ~= buf then
      return
    end
    asked = asked + 1
    local mine, line = asked, vim.api.nvim_win_get_cursor(0)[1]
    local tick = vim.api.nvim_buf_get_changedtick(buf)
    M.line(buf, dir, line, function(err, commit)
      if mine ~= asked or err or not vim.api.nvim_buf_is_loaded(buf) or vim.api.nvim_buf_get_changedtick(buf) ~= tick then
        return
      end
      vim.api.nvim_buf_set_extmark(buf, namespace, line - 1, 0, {
        virt_text = { { '   ' .. M.format(commit), 'HgBrokerBlame' } },
        hl_mode = 'combine',
      })
    end)
  end))
end

return M
