-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The configuration under which the tests run: the plugin as a user without any
-- settings has it. HGBROKER_TEST_TREE is the plugin's folder; hgbroker is on PATH.

vim.opt.runtimepath:prepend(vim.env.HGBROKER_TEST_TREE)
vim.opt.shada, vim.opt.swapfile, vim.opt.undofile = '', false, false
vim.opt.lines, vim.opt.columns = 24, 100

vim.api.nvim_create_autocmd('VimEnter', {
  once = true,
  callback = function()
    -- After the plugin's own VimEnter.
    vim.schedule(function()
      local ok, err = xpcall(dofile, debug.traceback, vim.env.HGBROKER_TEST_TREE .. '/test/scenarios.lua')
      if not ok then
        io.stdout:write('\nnot ok scenarios: ' .. err:gsub('\n', ' | ') .. '\n')
        vim.cmd('cquit')
      end
      vim.cmd('qall!')
    end)
  end,
})
