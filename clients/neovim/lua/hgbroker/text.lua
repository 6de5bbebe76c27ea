-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Bytes on their way through JSON, and the bytes that a buffer would be written
-- as. Paths and contents are bytes in Mercurial: those that are valid UTF-8 are
-- a JSON string, all others are { base64 = "..." }, both ways. Nothing is ever
-- replaced or dropped.

local M = {}

-- utf8_length says how many bytes the character takes whose bytes these are
-- (later ones may be nil), nil when they are not UTF-8: RFC 3629, section 4.
local function utf8_length(a, b, c, d)
  local function tail(x)
    return x and x >= 0x80 and x <= 0xBF
  end
  if a < 0x80 then
    return 1
  elseif a >= 0xC2 and a <= 0xDF then
    return tail(b) and 2
  elseif a >= 0xE0 and a <= 0xEF then
    local ok = tail(b) and tail(c) and not (a == 0xE0 and b < 0xA0) and not (a == 0xED and b > 0x9F)
    return ok and 3
  elseif a >= 0xF0 and a <= 0xF4 then
    local ok = tail(b) and tail(c) and tail(d) and not (a == 0xF0 and b < 0x90) and not (a == 0xF4 and b > 0x8F)
    return ok and 4
  end
end

--- Whether s is valid UTF-8.
function M.is_utf8(s)
  local at = s:find('[\128-\255]')
  while at do
    local length = utf8_length(s:byte(at, at + 3))
    if not length then
      return false
    end
    at = s:find('[\128-\255]', at + length)
  end
  return true
end

local alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

local function to_base64(s)
  local out = {}
  for at = 1, #s, 3 do
    local a, b, c = s:byte(at, at + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    local four = {}
    for i = 1, 4 do
      local digit = math.floor(n / 64 ^ (4 - i)) % 64
      four[i] = alphabet:sub(digit + 1, digit + 1)
    end
    four[3] = b and four[3] or '='
    four[4] = c and four[4] or '='
    out[#out + 1] = table.concat(four)
  end
  return table.concat(out)
end

local function from_base64(s)
  local out = {}
  for four in s:gmatch('....') do
    local n, padding = 0, 0
    for i = 1, 4 do
      local digit = alphabet:find(four:sub(i, i), 1, true)
      n = n * 64 + (digit or 1) - 1
      padding = padding + (digit and 0 or 1)
    end
    local bytes = string.char(math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
    out[#out + 1] = bytes:sub(1, 3 - padding)
  end
  return table.concat(out)
end

--- The JSON form of the bytes s: a string or a table.
function M.encode(s)
  if M.is_utf8(s) then
    return s
  end
  return { base64 = vim.base64 and vim.base64.encode(s) or to_base64(s) }
end

--- The bytes that the JSON form t stands for, "" for null.
function M.decode(t)
  if type(t) == 'string' then
    return t
  elseif type(t) == 'table' and type(t.base64) == 'string' then
    return vim.base64 and vim.base64.decode(t.base64) or from_base64(t.base64)
  end
  return ''
end

--- What `:write` would write of a buffer: line ends, encoding and byte order
--- mark as the buffer's options say. nil when it cannot be told: the text has
--- characters that its 'fileencoding' has not.
function M.of_buffer(buf)
  local option = vim.bo[buf]
  local lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  for i, line in ipairs(lines) do
    if line:find('\n', 1, true) then
      lines[i] = line:gsub('\n', '\0') -- how a buffer holds NUL
    end
  end
  local ending = ({ dos = '\r\n', mac = '\r' })[option.fileformat] or '\n'
  local s = table.concat(lines, ending)
  local last = option.endofline or (option.fixendofline and not option.binary)
  if #lines == 1 and lines[1] == '' then
    -- One empty line, or none: only the latter is an empty file.
    last = vim.api.nvim_buf_call(buf, vim.fn.wordcount).bytes > 0
  end
  s = last and s .. ending or s
  local encoding = option.fileencoding
  if encoding ~= '' and encoding ~= 'utf-8' then
    local converted = vim.fn.iconv(s, 'utf-8', encoding)
    -- iconv puts a question mark where it has no character.
    if converted == '' and s ~= '' or vim.fn.iconv(converted, encoding, 'utf-8') ~= s then
      return nil
    end
    return converted
  end
  return option.bomb and '\239\187\191' .. s or s
end

return M
