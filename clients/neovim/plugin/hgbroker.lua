-- SPDX-License-Identifier: GPL-2.0-or-later

if vim.g.loaded_hgbroker or vim.fn.has('nvim-0.7') ~= 1 then
  return
end
vim.g.loaded_hgbroker = true

vim.api.nvim_create_user_command('HgBroker', function(args)
  require('hgbroker').command(args.args)
end, {
  nargs = 1,
  complete = function(prefix)
    return require('hgbroker').complete(prefix)
  end,
  desc = 'Mercurial, by hgbroker',
})

-- After the user's configuration, which may have called setup itself.
vim.api.nvim_create_autocmd('VimEnter', {
  once = true,
  callback = function()
    require('hgbroker').begin()
  end,
})
