#!lua flags=allow-oom
--- Shut a subject out for a while, whatever its limits say; or look, or let it in again.
--
-- `gcra_multi` answers `Blocked` for a subject that is shut out. The other limiters do not
-- look, so that they cost no more: ask in mode `check` beside them, in the same pipeline.
--
-- Modes: `block` shuts out for span from now on, or for as long as before where that is
-- longer; `lift` lets in again; `check` only looks. A call sent again does the same again: it
-- shuts out for span from then on, or lets in. All modes work on a full server too.
--
-- @version 1.0.0
-- @key     block       limit:{<subject>}:block string expires
-- @arg     span        ms 1..31_622_400_000 = 1m
-- @arg     mode        enum(block, lift, check) = block
-- @returns Blocked     retry_after:ms
-- @returns Free
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example for a minute
--   block subject=user:1 mode=check -> Free
--   block subject=user:1 span=60s -> Blocked retry_after=60s
--   block subject=user:1 span=1s -> Blocked retry_after<=60s
--   block subject=user:1 mode=check -> Blocked retry_after<=60s
--   block subject=user:1 mode=lift -> Free
--   block subject=user:1 mode=check -> Free
-- @example it ends by itself
--   block subject=user:2 span=1ms -> Blocked
--   wait 20ms
--   block subject=user:2 mode=check -> Free

local block = KEYS[1]
local span_ms, mode = ARGV[1], ARGV[2]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

span_ms = integer(span_ms, 1, 31622400000)
if not span_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT span must be an integer in 1..31622400000 ms')
end
if mode ~= 'block' and mode ~= 'lift' and mode ~= 'check' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be block, lift or check')
end

redis.call('STRLEN', block) -- refuses a key of another type
local left_ms = redis.call('PTTL', block)
if mode == 'lift' then
  redis.call('UNLINK', block)
  return {'Free'}
end
if mode == 'block' and left_ms < span_ms then
  redis.call('SET', block, '1', 'PX', string.format('%.0f', span_ms))
  left_ms = span_ms
end
if left_ms > 0 then
  return {'Blocked', left_ms}
end
return {'Free'}
