-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Scenarios in a headless Neovim against the real broker, on recorded
-- repositories in HGBROKER_TEST_REPOS. Each prints "ok NAME" or "not ok NAME: WHY".

local blame = require('hgbroker.blame')
local broker = require('hgbroker.broker')
local hgbroker = require('hgbroker')
local signs = require('hgbroker.signs')
local text = require('hgbroker.text')

local repos = vim.env.HGBROKER_TEST_REPOS
local patience = 30000 -- milliseconds, for what must happen
local scenarios = {}

local function scenario(name, run)
  scenarios[#scenarios + 1] = { name = name, run = run }
end

local function equal(want, got, what)
  if not vim.deep_equal(want, got) then
    error(('%s: want %s, got %s'):format(what or 'value', vim.inspect(want), vim.inspect(got)), 2)
  end
end

-- becomes waits until get() is want.
local function becomes(want, get, what)
  local got
  vim.wait(patience, function()
    got = get()
    return vim.deep_equal(want, got)
  end, 5)
  equal(want, got, what)
end

local function write(path, bytes)
  local file = assert(io.open(path, 'wb'))
  file:write(bytes)
  file:close()
end

local function read(path)
  local file = assert(io.open(path, 'rb'))
  local bytes = file:read('*a')
  file:close()
  return bytes
end

local function edit(path)
  vim.cmd('edit ' .. vim.fn.fnameescape(path))
  return vim.api.nvim_get_current_buf()
end

local function hunks_of(buf)
  return function()
    return signs.hunks(buf)
  end
end

-- The sign column as it is on the screen, a line for each line of the window.
local function sign_column(lines)
  vim.cmd('redraw!')
  local column = {}
  for row = 1, lines do
    column[row] = vim.trim(vim.fn.screenstring(row, 1))
  end
  return table.concat(column, ',')
end

scenario('bytes go through JSON unchanged', function()
  for _, s in ipairs({ '', 'a', 'é', '\0', '€😀', '\239\191\191' }) do
    equal(s, text.encode(s))
  end
  for s, want in pairs({
    ['\255'] = '/w==', ['a\233'] = 'Yek=', ['\237\160\128'] = '7aCA', ['\192\128'] = 'wIA=', ['\244\144\128\128'] = '9JCAgA==',
    ['\226\130'] = '4oI=', ['\0\255\0'] = 'AP8A', ['\128'] = 'gA==',
  }) do
    equal({ base64 = want }, text.encode(s))
    equal(s, text.decode({ base64 = want }))
  end
  equal('', text.decode(vim.NIL))
  equal('', text.decode(nil))
end)

scenario('a buffer is compared as it would be written', function()
  local path = vim.fn.tempname()
  local many = { '', '\n', 'a', 'a\n', 'a\n\n', 'a\r\nb\r\n', 'a\r\nb', '\239\187\191a\n', 'a\0b\n', 'caf\233\n', 'é\n', 'a\n\233\n', 'a\rb\n' }
  for _, bytes in ipairs(many) do
    write(path, bytes)
    vim.bo.modified = false
    vim.opt.fixendofline = false
    local buf = edit(path)
    local content = text.of_buffer(buf)
    equal(bytes, content, vim.inspect(bytes))
    vim.cmd('silent write!')
    equal(read(path), content, 'what Neovim writes of ' .. vim.inspect(bytes))
    vim.cmd('bwipeout!')
  end
  vim.opt.fixendofline = true
  write(path, 'a')
  local buf = edit(path)
  vim.cmd('silent write!')
  equal(read(path), text.of_buffer(buf), 'fixendofline')
  vim.bo[buf].fileencoding = 'latin1'
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, { '€' })
  equal(nil, text.of_buffer(buf), 'what the encoding has not')
end)

scenario('hunks become signs', function()
  local function placed(old_start, old_lines, new_start, new_lines)
    local out = {}
    for _, p in ipairs(signs.place({ { oldStart = old_start, oldLines = old_lines, newStart = new_start, newLines = new_lines } })) do
      out[#out + 1] = p.line .. p.kind
    end
    return table.concat(out, ' ')
  end
  equal('1add 2add', placed(0, 0, 1, 2))
  equal('3change 4add', placed(3, 1, 3, 2))
  equal('3change 4changedelete', placed(3, 5, 3, 2))
  equal('2delete', placed(3, 2, 2, 0))
  equal('1topdelete', placed(1, 2, 0, 0))
end)

scenario('the state follows the repository', function()
  local dir = repos .. '/linear'
  local buf = edit(dir .. '/main.txt')
  becomes('default', hgbroker.statusline)
  equal({ 11, 'a825faa1d54f086bfc7dde61f215cd5e61e73af2' }, { vim.b.hgbroker.rev, vim.b.hgbroker.node })
  vim.opt.statusline = "%{v:lua.require'hgbroker'.statusline()}|"
  equal('default|', vim.api.nvim_eval_statusline(vim.o.statusline, {}).str)
  local updates = 0
  vim.api.nvim_create_autocmd('User', {
    pattern = 'HgBrokerUpdate',
    callback = function()
      updates = updates + 1
    end,
  })
  write(dir .. '/.hg/branch', 'wip %f é\n')
  becomes('wip %f é', hgbroker.statusline)
  assert(updates > 0, 'no HgBrokerUpdate')
  equal('wip %f é|', vim.api.nvim_eval_statusline(vim.o.statusline, {}).str)
  write(dir .. '/.hg/branch', 'default\n')
  becomes('default', hgbroker.statusline)
  equal(buf, vim.api.nvim_get_current_buf())
end)

scenario('bookmark, merge and conflicts', function()
  edit(repos .. '/bookmarks-tags/f')
  becomes('default @feature', hgbroker.statusline)
  edit(repos .. '/merging/left')
  becomes('default merge!2', function()
    return (hgbroker.statusline():gsub(' [+~-].*', ''))
  end)
  equal({ 'merge', 2 }, { vim.b.hgbroker.operation, vim.b.hgbroker.conflicts })
end)

scenario('signs of an unsaved buffer', function()
  local buf = edit(repos .. '/linear/main.txt')
  becomes({}, hunks_of(buf))
  vim.api.nvim_buf_set_lines(buf, 1, 2, false, { 'changed' })
  vim.api.nvim_buf_set_lines(buf, 3, 3, false, { 'new', 'new' })
  vim.api.nvim_buf_set_lines(buf, 7, 9, false, {})
  becomes({ 2, 4, 7 }, function()
    return vim.tbl_map(function(h)
      return h.newStart
    end, signs.hunks(buf) or {})
  end)
  becomes(',~,,+,+,,_', function()
    return sign_column(7)
  end, 'the screen')
  becomes('default +2 ~1 -2', hgbroker.statusline)
  vim.api.nvim_win_set_cursor(0, { 2, 0 })
  vim.cmd('HgBroker next')
  equal(4, vim.api.nvim_win_get_cursor(0)[1])
  vim.cmd('HgBroker previous')
  vim.cmd('HgBroker previous')
  equal(7, vim.api.nvim_win_get_cursor(0)[1])
  vim.cmd('HgBroker signs')
  equal('default', hgbroker.statusline())
  vim.cmd('HgBroker signs')
  becomes('default +2 ~1 -2', hgbroker.statusline)
  vim.cmd('edit!')
  becomes({}, hunks_of(buf))
  becomes('default', hgbroker.statusline)
end)

scenario('signs of a buffer that was hidden while it changed', function()
  local buf = edit(repos .. '/linear/main.txt')
  becomes({}, hunks_of(buf))
  vim.opt.hidden = true
  edit(repos .. '/linear/src/mod0.c')
  vim.api.nvim_buf_set_lines(buf, 0, 0, false, { 'top' })
  local other = false
  vim.defer_fn(function()
    other = true
  end, 3 * signs.delay)
  vim.wait(patience, function()
    return other
  end)
  equal({}, signs.hunks(buf), 'not compared while hidden')
  vim.cmd('buffer ' .. buf)
  becomes({ { oldStart = 0, oldLines = 0, newStart = 1, newLines = 1 } }, hunks_of(buf))
end)

scenario('signs and state follow an update to another parent', function()
  local dir = repos .. '/linear'
  local buf = edit(dir .. '/main.txt')
  becomes({}, hunks_of(buf))
  -- What hg update to changeset 10 would write, but the file: it is kept as if edited.
  local dirstate = read(dir .. '/.hg/dirstate')
  local parent = '70ac471f2b1d819785aa3236a0c1c7ca2f82a162'
  local bytes = parent:gsub('%x%x', function(hex)
    return string.char(tonumber(hex, 16))
  end)
  write(dir .. '/.hg/dirstate.new', bytes .. dirstate:sub(21))
  assert(vim.loop.fs_rename(dir .. '/.hg/dirstate.new', dir .. '/.hg/dirstate'))
  becomes(10, function()
    return vim.b.hgbroker and vim.b.hgbroker.rev
  end)
  becomes({ { oldStart = 11, oldLines = 0, newStart = 12, newLines = 1 } }, hunks_of(buf))
  write(dir .. '/.hg/dirstate.new', dirstate)
  assert(vim.loop.fs_rename(dir .. '/.hg/dirstate.new', dir .. '/.hg/dirstate'))
  becomes({}, hunks_of(buf))
end)

scenario('who wrote the line', function()
  local buf = edit(repos .. '/linear/main.txt')
  vim.api.nvim_win_set_cursor(0, { 2, 0 })
  vim.cmd('HgBroker blame')
  becomes('bob, 2011-03-14 · step 1', function()
    return blame.shown(buf)
  end)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.api.nvim_exec_autocmds('CursorMoved', {})
  becomes('Ada Stone, 2011-03-13 · step 0', function()
    return blame.shown(buf)
  end)
  -- In an unsaved buffer lines are where they are there.
  vim.api.nvim_buf_set_lines(buf, 0, 0, false, { 'mine' })
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.api.nvim_exec_autocmds('CursorMoved', {})
  becomes('not committed', function()
    return blame.shown(buf)
  end)
  local got
  hgbroker.blame_line(function(err, commit)
    got = err or commit
  end, buf, 3)
  becomes(1, function()
    return got and got.rev
  end)
  vim.cmd('HgBroker blame')
  equal(nil, blame.shown(buf))
  equal({ 'bob', 'Ada Stone', 'x' }, { blame.person('bob'), blame.person('Ada Stone <a@b>'), blame.person('x@example.org') })
end)

scenario('names that are not UTF-8', function()
  local buf = edit(repos .. '/names/latin-\233\232')
  becomes('default ~1', function()
    return (hgbroker.statusline():gsub('[+-]%d+', ''):gsub('~%d+', '~1'):gsub(' +$', ''))
  end)
  assert(#signs.hunks(buf) > 0, 'no hunk')
end)

scenario('files of no repository, and of none of its revisions', function()
  local path = vim.fn.tempname()
  write(path, 'x\n')
  edit(path)
  equal('', hgbroker.statusline())
  local buf = edit(repos .. '/linear/untracked file')
  becomes('default', hgbroker.statusline)
  becomes({}, hunks_of(buf))
  edit(repos .. '/linear/.hg/requires')
  equal('', hgbroker.statusline())
end)

scenario('any other question', function()
  edit(repos .. '/linear/main.txt')
  local got
  hgbroker.request('hg/log', { limit = 2 }, function(err, result)
    got = err and err.message or #result.commits
  end)
  becomes(2, function()
    return got
  end)
  local kind
  hgbroker.request('hg/log', { revset = 'nowhere' }, function(err)
    kind = err and err.data.kind
  end)
  becomes('UnknownRevision', function()
    return kind
  end)
end)

scenario('the broker dies and comes back', function()
  local dir = repos .. '/linear'
  edit(dir .. '/main.txt')
  becomes('default', hgbroker.statusline)
  local pid, lost = broker.pid(), nil
  assert(vim.loop.kill(pid, 'sigstop') == 0)
  broker.request('hg/log', { repository = dir }, function(err)
    lost = err
  end)
  assert(vim.loop.kill(pid, 'sigkill') == 0)
  becomes(broker.LOST, function()
    return lost and lost.code
  end)
  equal('default', hgbroker.statusline(), 'what was known stays')
  becomes(true, function()
    return broker.is_running() and broker.pid() ~= pid
  end)
  becomes('default', hgbroker.statusline)
  -- The new one tells of changes too.
  local followed
  vim.wait(patience, function()
    followed = require('hgbroker.repository').all()[1].watched
    return followed
  end, 5)
  write(dir .. '/.hg/branch', 'stable\n')
  becomes('stable', hgbroker.statusline)
  write(dir .. '/.hg/branch', 'default\n')
  becomes('default', hgbroker.statusline)
end)

scenario('a clean end', function()
  edit(repos .. '/linear/main.txt')
  becomes('default', hgbroker.statusline)
  local pid = broker.pid()
  equal(true, broker.stop(patience))
  equal(nil, vim.loop.kill(pid, 0) == 0 or nil, 'the broker is gone')
  equal('default', hgbroker.statusline())
  vim.cmd('HgBroker restart')
  becomes('default', hgbroker.statusline)
end)

scenario('a broker that never answers holds up nobody', function()
  broker.stop()
  hgbroker.setup({ cmd = { 'sleep', '1000' } })
  local before = vim.loop.hrtime()
  local buf = edit(repos .. '/linear/main.txt')
  vim.api.nvim_buf_set_lines(buf, 0, 0, false, { 'x' })
  equal('', hgbroker.statusline())
  equal({ false, true }, { broker.stop(1), vim.loop.hrtime() - before < patience * 1e6 })
end)

scenario('no broker on PATH', function()
  local notified = {}
  local notify = vim.notify
  vim.notify = function(message)
    notified[#notified + 1] = message
  end
  hgbroker.setup({ cmd = { 'no-such-hgbroker' } })
  edit(repos .. '/linear/main.txt')
  becomes({ 'hgbroker: no-such-hgbroker is not an executable on PATH' }, function()
    return notified
  end)
  vim.notify = notify
  hgbroker.setup()
end)

local only = vim.env.HGBROKER_TEST_ONLY
for _, s in ipairs(scenarios) do
  if not only or s.name:find(only, 1, true) then
    vim.cmd('silent! %bwipeout!')
    local ok, err = xpcall(s.run, debug.traceback)
    local line = ok and 'ok ' .. s.name or ('not ok %s: %s'):format(s.name, tostring(err):gsub('\n', ' | '))
    io.stdout:write('\n' .. line .. '\n')
  end
end
