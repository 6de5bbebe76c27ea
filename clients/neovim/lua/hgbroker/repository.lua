-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The repositories of the open buffers, each with its state as last told by the
-- broker. The state is asked for once and again after each change that the
-- broker tells of; who wants to show it reads the last answer and never waits.

local broker = require('hgbroker.broker')
local text = require('hgbroker.text')

local M = {
  --- Called with a repository after its state was read.
  on_state = function(_) end,
  --- Called with a repository and the kinds of a repository/didChange.
  on_change = function(_, _) end,
}

local Repository = {}
Repository.__index = Repository

local known = {} -- by the folder that holds .hg

--- The folder at or above path that holds .hg, nil without one. Looks at the
--- file system (a stat for each folder on the way up), asks nobody.
function M.root_of(path)
  local dir = path
  while true do
    local up = vim.fn.fnamemodify(dir, ':h')
    if up == dir then
      return nil
    end
    dir = up
    local stat = vim.loop.fs_stat(dir == '/' and '/.hg' or dir .. '/.hg')
    if stat and stat.type == 'directory' then
      return dir
    end
  end
end

--- The repository of a folder that holds .hg, for one buffer more.
function M.acquire(dir)
  local repo = known[dir]
  if not repo then
    repo = setmetatable({ dir = dir, users = 0 }, Repository)
    known[dir] = repo
    repo:open()
  end
  repo.users = repo.users + 1
  return repo
end

--- A buffer needs it no longer.
function Repository:release()
  self.users = self.users - 1
  if self.users > 0 then
    return
  end
  known[self.dir] = nil
  if self.root and broker.is_running() then
    broker.request('repository/close', { repository = text.encode(self.dir) }, function() end)
  end
end

--- All of them.
function M.all()
  return vim.tbl_values(known)
end

--- Follows the repository from now on. What is shown until the answers come
--- stays.
function Repository:open()
  self.watched, self.root = nil, nil
  broker.request('repository/open', { repository = text.encode(self.dir) }, function(err, result)
    if err then
      self.watched = false
      return
    end
    self.root, self.watched = text.decode(result.root), result.watched
    if known[self.dir] ~= self then
      broker.request('repository/close', { repository = text.encode(self.dir) }, function() end)
    else
      -- Only from here on is every change told of.
      self:refresh()
    end
  end)
  self:refresh()
end

--- Asks for the state; what is asked during an answer is one request more.
function Repository:refresh()
  if self.busy then
    self.again = true
    return
  end
  self.busy = true
  broker.request('hg/state', { repository = text.encode(self.dir) }, function(err, result)
    self.busy = false
    self.error = err and err.message
    if not err then
      self.state = result
    elseif err.code ~= broker.LOST then
      self.state = nil
    end
    if self.again then
      self.again = false
      self:refresh()
    end
    M.on_state(self)
  end)
end

broker.handlers['repository/didChange'] = function(params)
  local root = text.decode(params.root)
  for _, repo in pairs(known) do
    if repo.root == root then
      repo:refresh()
      M.on_change(repo, params.kinds)
    end
  end
end

--- What to show of a state: plain values for scripts.
function M.summary(state)
  local parent = state.parents and state.parents[1]
  return {
    branch = text.decode(state.branch),
    bookmark = text.decode(state.bookmark),
    topic = text.decode(state.topic),
    operation = state.operation and state.operation.name or '',
    conflicts = state.conflicts or 0,
    rev = parent and parent.rev or -1,
    node = parent and parent.node or ('0'):rep(40),
  }
end

return M
