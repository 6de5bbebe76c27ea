-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The one broker of this Neovim: started with the first request, asked
-- asynchronously, started again when it dies, ended with the editor. Every
-- callback is called exactly once, on the main loop, also when the broker is
-- lost under the request.

local M = {
  --- The code of the error when no broker answered.
  LOST = -1,
  cmd = { 'hgbroker', '--stdio' },
  init_options = nil, -- the broker's initializationOptions
  handlers = {}, -- method of a notification → function(params)
  on_lost = function() end, -- the broker ended by itself
}

-- A broker that ends again and again is not started more often than this.
local MAX_STARTS, PER_SECONDS = 3, 60

local running -- { rpc, pending = { [n] = callback }, closed }
local starts = {} -- times of the last starts, seconds
local count = 0

local function lost(message)
  return { code = M.LOST, message = message }
end

local function ended(session, code)
  if session.closed then
    return
  end
  session.closed = true
  if running == session then
    running = nil
  end
  local pending = session.pending
  session.pending = {}
  for _, callback in pairs(pending) do
    callback(lost(('hgbroker ended with code %s'):format(code)))
  end
  if not session.stopping then
    M.on_lost()
  end
end

-- spawn is vim.lsp.rpc.start of any Neovim: older ones want the arguments apart.
local function spawn(cmd, dispatchers)
  local ok, rpc = pcall(vim.lsp.rpc.start, cmd, dispatchers)
  if ok then
    return rpc
  end
  local first = rpc
  ok, rpc = pcall(vim.lsp.rpc.start, cmd[1], vim.list_slice(cmd, 2), dispatchers)
  if ok then
    return rpc
  end
  return nil, first
end

local function ask(session, method, params, callback)
  count = count + 1
  local id = count
  session.pending[id] = callback
  local function done(err, result)
    if session.pending[id] then
      session.pending[id] = nil
      if result == vim.NIL then
        result = nil
      end
      callback(err, result)
    end
  end
  if not session.rpc.request(method, params, done) then
    vim.schedule(function()
      done(lost('hgbroker has ended'))
    end)
  end
end

local function start()
  local now = os.time()
  if vim.fn.executable(M.cmd[1]) ~= 1 then
    return nil, M.cmd[1] .. ' is not an executable on PATH'
  end
  if #starts >= MAX_STARTS and now - starts[#starts - MAX_STARTS + 1] < PER_SECONDS then
    return nil, 'hgbroker ended too often: ":HgBroker restart" tries again'
  end
  starts[#starts + 1] = now
  local session = { pending = {} }
  local rpc, err = spawn(M.cmd, {
    notification = function(method, params)
      local handler = M.handlers[method]
      if handler then
        handler(params)
      end
    end,
    on_exit = function(code)
      vim.schedule(function()
        ended(session, code)
      end)
    end,
  })
  if not rpc then
    return nil, err or (M.cmd[1] .. ' cannot be started')
  end
  session.rpc, running = rpc, session
  -- What is asked behind initialize is answered behind it: no need to wait.
  ask(session, 'initialize', {
    processId = vim.NIL, -- it may run elsewhere; it ends with its input
    clientInfo = { name = 'Neovim' },
    rootUri = vim.NIL,
    capabilities = vim.empty_dict(),
    initializationOptions = M.init_options,
  }, function(failure)
    if failure and failure.code ~= M.LOST then
      vim.notify('hgbroker: ' .. failure.message, vim.log.levels.ERROR)
    end
  end)
  rpc.notify('initialized', vim.empty_dict())
  return session
end

--- Asks the broker. callback(err, result): err is nil, or the JSON-RPC error
--- { code, message, data }; its code is LOST when no broker answered.
function M.request(method, params, callback)
  local session, err = running, nil
  if not session then
    session, err = start()
  end
  if not session then
    vim.schedule(function()
      vim.notify_once('hgbroker: ' .. err, vim.log.levels.WARN)
      callback(lost(err))
    end)
    return
  end
  ask(session, method, params, callback)
end

--- Tells the broker, if there is one.
function M.notify(method, params)
  if running then
    running.rpc.notify(method, params)
  end
end

--- The broker's process id, nil without a broker.
function M.pid()
  return running and running.rpc.pid
end

--- Whether a broker runs.
function M.is_running()
  return running ~= nil
end

--- Ends the broker: politely, and after `patience` milliseconds by a signal.
--- Returns whether it went by itself.
function M.stop(patience)
  local session = running
  starts = {}
  if not session then
    return true
  end
  session.stopping = true
  running = nil
  ask(session, 'shutdown', vim.NIL, function(err)
    if not err then
      session.rpc.notify('exit', vim.NIL)
    end
  end)
  local gone = vim.wait(patience or 500, function()
    return session.closed
  end, 5)
  if not gone then
    if session.rpc.terminate then
      session.rpc.terminate()
    else
      session.rpc.handle:kill(15)
    end
  end
  return gone
end

return M
