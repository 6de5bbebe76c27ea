-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Marks in the sign column: how a buffer, saved or not, differs from the file in
-- the first parent. The broker compares (hg/lineDiff with the buffer's content);
-- one comparison is under way for a buffer at a time, and an answer that the
-- buffer has outrun is not shown.

local broker = require('hgbroker.broker')
local text = require('hgbroker.text')

local M = {
  delay = 120, -- milliseconds of rest after a change
  max_bytes = 1024 * 1024, -- larger buffers have no signs
  kinds = {
    add = { text = '+', group = 'HgBrokerAdd' },
    change = { text = '~', group = 'HgBrokerChange' },
    delete = { text = '_', group = 'HgBrokerDelete' },
    topdelete = { text = '‾', group = 'HgBrokerDelete' },
    changedelete = { text = '≃', group = 'HgBrokerChange' },
  },
  --- Called with a buffer after its signs were drawn.
  on_signs = function(_) end,
}

local namespace = vim.api.nvim_create_namespace('hgbroker_signs')
local buffers = {} -- bufnr → { timer, busy, again, stale, hunks }

--- Where signs go for hunks of hg/lineDiff: { line, kind }, lines from 1. Lines
--- that were only removed are marked at the line above them, or below the top.
function M.place(hunks)
  local places = {}
  for _, h in ipairs(hunks) do
    if h.newLines == 0 then
      places[#places + 1] = { line = math.max(h.newStart, 1), kind = h.newStart == 0 and 'topdelete' or 'delete' }
    end
    for i = 0, h.newLines - 1 do
      local kind = 'change'
      if h.oldLines == 0 or i >= h.oldLines then
        kind = 'add'
      elseif i == h.newLines - 1 and h.oldLines > h.newLines then
        kind = 'changedelete'
      end
      places[#places + 1] = { line = h.newStart + i, kind = kind }
    end
  end
  return places
end

--- Numbers of lines: added, changed, removed.
function M.count(buf)
  local added, changed, removed = 0, 0, 0
  for _, h in ipairs(buffers[buf] and buffers[buf].hunks or {}) do
    local both = math.min(h.oldLines, h.newLines)
    added, changed, removed = added + h.newLines - both, changed + both, removed + h.oldLines - both
  end
  return added, changed, removed
end

--- The hunks of the last answer, nil before it.
function M.hunks(buf)
  return buffers[buf] and buffers[buf].hunks
end

local function draw(buf, hunks)
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  local last = vim.api.nvim_buf_line_count(buf)
  for _, p in ipairs(M.place(hunks)) do
    local kind = M.kinds[p.kind]
    if p.line <= last then
      vim.api.nvim_buf_set_extmark(buf, namespace, p.line - 1, 0, { sign_text = kind.text, sign_hl_group = kind.group, priority = 6 })
    end
  end
end

local function compare(buf)
  local b = buffers[buf]
  if not b or not vim.api.nvim_buf_is_loaded(buf) then
    return
  end
  if b.busy then
    b.again = true
    return
  end
  if #vim.fn.win_findbuf(buf) == 0 then
    b.stale = true -- compared when it is shown
    return
  end
  b.stale = false
  local show = function(hunks)
    b.hunks = hunks
    draw(buf, hunks)
    M.on_signs(buf)
  end
  local size = vim.api.nvim_buf_get_offset(buf, vim.api.nvim_buf_line_count(buf))
  local content = size <= M.max_bytes and text.of_buffer(buf)
  if not content then
    show({})
    return
  end
  b.busy = true
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  local uri = text.encode(vim.api.nvim_buf_get_name(buf))
  broker.request('hg/lineDiff', { repository = b.place, uri = uri, content = text.encode(content) }, function(err, result)
    b.busy = false
    if buffers[buf] ~= b or not vim.api.nvim_buf_is_loaded(buf) then
      return
    end
    if b.again then
      b.again = false
      M.update(buf)
    end
    if err and err.code == broker.LOST then
      return
    end
    if vim.api.nvim_buf_get_changedtick(buf) == tick then
      -- A file that is not in the parent is an error of its kind: no signs.
      show(not err and result.hunks or {})
    end
  end)
end

--- Compares soon: after a rest.
function M.update(buf)
  local b = buffers[buf]
  if b then
    b.timer:start(M.delay, 0, vim.schedule_wrap(function()
      compare(buf)
    end))
  end
end

--- The buffer is shown: catches up with what happened while it was not.
function M.shown(buf)
  if buffers[buf] and (buffers[buf].stale or not buffers[buf].hunks) then
    compare(buf)
  end
end

--- Has signs from now on; dir is the repository's.
function M.attach(buf, dir)
  if buffers[buf] then
    return
  end
  local b = { timer = vim.loop.new_timer(), place = text.encode(dir), stale = true }
  buffers[buf] = b
  vim.api.nvim_buf_attach(buf, false, {
    on_lines = function()
      if buffers[buf] ~= b then
        return true -- detaches
      end
      M.update(buf)
    end,
    on_reload = function()
      M.update(buf)
    end,
  })
  compare(buf)
end

--- Has signs no longer.
function M.detach(buf)
  local b = buffers[buf]
  if not b then
    return
  end
  buffers[buf] = nil
  b.timer:stop()
  b.timer:close()
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

--- The first line of the next hunk after a line (step 1) or the one before it
--- (step -1), around the end; nil without hunks.
function M.next_line(buf, line, step)
  local lines = {}
  for _, h in ipairs(M.hunks(buf) or {}) do
    lines[#lines + 1] = math.max(h.newStart, 1)
  end
  if step > 0 then
    for _, l in ipairs(lines) do
      if l > line then
        return l
      end
    end
    return lines[1]
  end
  for i = #lines, 1, -1 do
    if lines[i] < line then
      return lines[i]
    end
  end
  return lines[#lines]
end

return M
