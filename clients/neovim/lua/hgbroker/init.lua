-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What a user sees: setup, the state for the statusline, the command. Buffers of
-- files in a repository are attached when they are read; all that is shown comes
-- from the last answers of the broker, nothing here waits for one but the end of
-- the editor, and that for half a second at most.

local blame = require('hgbroker.blame')
local broker = require('hgbroker.broker')
local repository = require('hgbroker.repository')
local signs = require('hgbroker.signs')
local text = require('hgbroker.text')

local M = {}

local defaults = {
  cmd = { 'hgbroker', '--stdio' }, -- e.g. { 'ssh', 'host', 'hgbroker', '--stdio' }
  init_options = nil, -- { fallback = 'never', encoding = ..., config = {...} }
  signs = true,
  blame = false,
  max_bytes = 1024 * 1024, -- of a buffer that is compared
  statusline = nil, -- function(summary, added, changed, removed) → string
}
local config = defaults
local attached = {} -- bufnr → repository
local is_set_up = false

--- The text for the statusline, of what repository.summary tells.
function M.format_status(s, added, changed, removed)
  local parts = { s.branch }
  if s.topic ~= '' then
    parts[1] = parts[1] .. '//' .. s.topic
  end
  if s.bookmark ~= '' then
    parts[#parts + 1] = '@' .. s.bookmark
  end
  if s.operation ~= '' then
    parts[#parts + 1] = s.operation .. (s.conflicts > 0 and '!' .. s.conflicts or '')
  elseif s.conflicts > 0 then
    parts[#parts + 1] = '!' .. s.conflicts
  end
  for _, count in ipairs({ { '+', added }, { '~', changed }, { '-', removed } }) do
    if count[2] > 0 then
      parts[#parts + 1] = count[1] .. count[2]
    end
  end
  return table.concat(parts, ' ')
end

-- show puts what is known into the buffer's variables.
local function show(buf)
  local repo = attached[buf]
  if not repo or not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  local status, dict = '', nil
  if repo.state then
    local added, changed, removed = signs.count(buf)
    dict = repository.summary(repo.state)
    status = (config.statusline or M.format_status)(dict, added, changed, removed)
    dict.root, dict.added, dict.changed, dict.removed = repo.dir, added, changed, removed
  end
  if vim.b[buf].hgbroker_status == status and vim.deep_equal(vim.b[buf].hgbroker, dict) then
    return
  end
  vim.b[buf].hgbroker_status = status
  vim.b[buf].hgbroker = dict
  vim.cmd('redrawstatus')
  vim.api.nvim_exec_autocmds('User', { pattern = 'HgBrokerUpdate', modeline = false })
end

local function of_repository(repo)
  return vim.tbl_filter(function(buf)
    return attached[buf] == repo
  end, vim.tbl_keys(attached))
end

local function detach(buf)
  local repo = attached[buf]
  if not repo then
    return
  end
  attached[buf] = nil
  signs.detach(buf)
  blame.clear(buf)
  repo:release()
  if vim.api.nvim_buf_is_valid(buf) then
    vim.b[buf].hgbroker_status = nil
    vim.b[buf].hgbroker = nil
  end
end

local function attach(buf)
  if not vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= '' then
    return
  end
  local name = vim.api.nvim_buf_get_name(buf)
  local dir = name:sub(1, 1) == '/' and repository.root_of(name)
  if attached[buf] and attached[buf].dir == dir then
    return
  end
  detach(buf)
  if not dir or name:sub(1, #dir + 5) == dir .. '/.hg/' then
    return
  end
  attached[buf] = repository.acquire(dir)
  if config.signs then
    signs.attach(buf, dir)
  end
  show(buf)
end

--- The state of a buffer (by default the current one) as text, "" when there is
--- none: for 'statusline', as %{v:lua.require'hgbroker'.statusline()}
function M.statusline(buf)
  local ok, status = pcall(vim.api.nvim_buf_get_var, buf or 0, 'hgbroker_status')
  return ok and status or ''
end

--- Asks the broker anything: callback(err, result), see the broker's methods.
--- Without a place in params, it is about the repository of the current buffer.
function M.request(method, params, callback)
  local repo = attached[vim.api.nvim_get_current_buf()]
  params = vim.tbl_extend('keep', params or {}, { repository = repo and text.encode(repo.dir) })
  broker.request(method, next(params) and params or vim.empty_dict(), callback)
end

--- Asks who wrote a line: callback(err, commit), see blame.line.
function M.blame_line(callback, buf, line)
  buf = buf or vim.api.nvim_get_current_buf()
  if not attached[buf] then
    callback({ code = broker.LOST, message = 'the buffer is no file of a repository' })
    return
  end
  blame.line(buf, attached[buf].dir, line or vim.api.nvim_win_get_cursor(0)[1], callback)
end

--- Goes to the next change (step 1) or the one before (step -1).
function M.next_hunk(step)
  local line = signs.next_line(vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)[1], step or 1)
  if line then
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { line, 0 })
  end
end

local function refresh_blame()
  local buf = vim.api.nvim_get_current_buf()
  if attached[buf] then
    blame.moved(buf, attached[buf].dir)
  end
end

local commands = {
  blame = function()
    blame.enabled = not blame.enabled
    refresh_blame()
  end,
  signs = function()
    config.signs = not config.signs
    for buf, repo in pairs(attached) do
      if config.signs then
        signs.attach(buf, repo.dir)
      else
        signs.detach(buf)
        show(buf)
      end
    end
  end,
  next = function()
    M.next_hunk(1)
  end,
  previous = function()
    M.next_hunk(-1)
  end,
  stop = function()
    broker.stop()
  end,
  restart = function()
    broker.stop()
    for _, repo in ipairs(repository.all()) do
      repo:open()
    end
  end,
  info = function()
    local lines = { 'broker: ' .. (broker.is_running() and 'running' or 'not running') }
    for _, repo in ipairs(repository.all()) do
      local what = repo.error or (repo.watched and 'followed') or (repo.watched == false and 'not followed') or 'opening'
      lines[#lines + 1] = ('%s: %s'):format(repo.dir, what)
    end
    vim.notify(table.concat(lines, '\n'))
  end,
}

--- :HgBroker NAME
function M.command(name)
  local command = commands[name]
  if command then
    command()
  else
    vim.notify('HgBroker: one of ' .. table.concat(M.complete(''), ', '), vim.log.levels.ERROR)
  end
end

--- The names that :HgBroker knows and that begin with prefix.
function M.complete(prefix)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, prefix)
  end, vim.tbl_keys(commands))
  table.sort(names)
  return names
end

local function highlights()
  for name, link in pairs({
    HgBrokerAdd = 'DiffAdd',
    HgBrokerChange = 'DiffChange',
    HgBrokerDelete = 'DiffDelete',
    HgBrokerBlame = 'Comment',
  }) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

local function autocommands()
  local group = vim.api.nvim_create_augroup('hgbroker', { clear = true })
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end
  on({ 'BufReadPost', 'BufNewFile', 'BufFilePost', 'BufWritePost' }, function(event)
    attach(event.buf)
  end)
  on({ 'BufUnload', 'BufWipeout' }, function(event)
    detach(event.buf)
  end)
  on({ 'BufWinEnter' }, function(event)
    signs.shown(event.buf)
  end)
  on({ 'BufWritePost', 'FocusGained' }, function(event)
    -- Where the system could not be asked to tell of changes.
    local repo = attached[event.buf]
    if repo and repo.watched == false then
      repo:refresh()
      signs.update(event.buf)
    end
  end)
  on({ 'CursorMoved', 'BufEnter', 'InsertLeave' }, function()
    if blame.enabled then
      refresh_blame()
    end
  end)
  on({ 'InsertEnter', 'BufLeave' }, function(event)
    if blame.enabled then
      blame.clear(event.buf)
    end
  end)
  on({ 'ColorScheme' }, highlights)
  on({ 'VimLeavePre' }, function()
    broker.stop()
  end)
end

local function connect_parts()
  repository.on_state = function(repo)
    for _, buf in ipairs(of_repository(repo)) do
      show(buf)
    end
  end
  repository.on_change = function(repo)
    for _, buf in ipairs(of_repository(repo)) do
      signs.update(buf)
    end
    refresh_blame()
  end
  signs.on_signs = show
  broker.handlers['window/logMessage'] = function(params)
    if params.type <= 2 then
      vim.notify('hgbroker: ' .. params.message, params.type == 1 and vim.log.levels.ERROR or vim.log.levels.WARN)
    end
  end
  broker.on_lost = function()
    vim.defer_fn(function()
      for _, repo in ipairs(repository.all()) do
        repo:open()
        repository.on_change(repo)
      end
    end, 200)
  end
end

--- Begins, with options over the defaults above. Without a call of it,
--- plugin/hgbroker.lua does it at start.
function M.setup(options)
  config = vim.tbl_extend('force', defaults, options or {})
  broker.cmd, broker.init_options = config.cmd, config.init_options
  signs.max_bytes, blame.max_bytes = config.max_bytes, config.max_bytes
  blame.enabled = config.blame
  is_set_up = true
  connect_parts()
  highlights()
  autocommands()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    attach(buf)
  end
end

--- setup, if nobody has called it.
function M.begin()
  if not is_set_up then
    M.setup()
  end
end

return M
