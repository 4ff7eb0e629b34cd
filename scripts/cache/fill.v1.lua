#!lua
--- Store the value that was fetched under a lease of `get_or_lock`.
--
-- Only the owner that holds the lease may store. `LeaseLost` says that the key
-- was invalidated, that the hold ran out or that somebody else took over: the
-- value may be used but is not cached, since it may be older than what
-- invalidated it. Past soft the value is served as stale while one caller
-- refreshes it; past hard it is gone. soft is at most hard. cost is how long
-- the fetch took: the longer, the earlier `get_or_lock` starts to refresh.
-- negative caches an absence, and goes with an empty value. Everybody who waits
-- on the key's channel is woken.
--
-- The same owner storing the same value again gets `Stored`, as long as the
-- entry is still the one it stored, and nothing is written again.
--
-- @version 1.0.0
-- @key     entry     cache:{<key>}:entry hash expires
-- @key     lease     cache:{<key>}:lease string expires
-- @arg     owner     owner
-- @arg     value     bytes 0..262_144
-- @arg     soft      ms 1..31_622_400_000
-- @arg     hard      ms 1..31_622_400_000
-- @arg     cost      ms 0..600_000 = 0
-- @arg     negative  bool = false
-- @channel filled    cache:{<key>}:filled
-- @returns Stored
-- @returns LeaseLost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=8 growth=1
-- @example the holder of the lease stores, and may repeat itself
--   cache.get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   fill key=user:1 owner=a value=Ada soft=60000ms hard=90000ms -> Stored
--   fill key=user:1 owner=a value=Ada soft=60000ms hard=90000ms -> Stored
--   fill key=user:1 owner=b value=Eve soft=60000ms hard=90000ms -> LeaseLost
--   cache.read key=user:1 -> Hit value=Ada fresh_for<=60000ms
-- @example what was invalidated during the fetch is not cached
--   cache.get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   cache.invalidate key=user:2 -> Invalidated existed=false
--   fill key=user:2 owner=a value=old soft=60000ms hard=90000ms -> LeaseLost
--   cache.read key=user:2 -> Missing
-- @example a refresh replaces the value
--   cache.get_or_lock key=user:4 owner=a hold=5000ms -> Fill
--   fill key=user:4 owner=a value=old soft=1ms hard=60000ms -> Stored
--   wait 20ms
--   cache.get_or_lock key=user:4 owner=b hold=5000ms -> Refresh value=old
--   fill key=user:4 owner=b value=new soft=60000ms hard=90000ms -> Stored
--   cache.read key=user:4 -> Hit value=new
-- @example bounds between arguments
--   fill key=user:3 owner=a value=x soft=2000ms hard=1000ms -> error BadArgument
--   fill key=user:3 owner=a value=x soft=1000ms hard=1000ms negative=true -> error BadArgument

local entry, lease = KEYS[1], KEYS[2]
local owner, value, soft_ms, hard_ms, cost_ms, negative, filled =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local LONGEST_MS = 31622400000

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 or owner:sub(1, 1) == '!' then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes and not begin with !')
end
if not value or #value > 262144 then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 262144 bytes')
end
hard_ms = integer(hard_ms, 1, LONGEST_MS)
if not hard_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hard must be an integer in 1..31622400000 ms')
end
soft_ms = integer(soft_ms, 1, hard_ms)
if not soft_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT soft must be an integer of ms from 1 to hard')
end
cost_ms = integer(cost_ms, 0, 600000)
if not cost_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT cost must be an integer in 0..600000 ms')
end
if negative ~= '0' and negative ~= '1' then
  return redis.error_reply('RLUA_BAD_ARGUMENT negative must be 0 or 1')
end
if negative == '1' and value ~= '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be empty when negative is set')
end
if not filled or filled == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT filled must be the name of a channel')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local stored = redis.call('HMGET', entry, 'v', 'n', 'o')
local format = stored[1]
if not format then
  if redis.call('EXISTS', entry) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the entry has no format number')
  end
elseif format ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the entry is not in format 1')
end

-- Held is `owner`, or `!<fails>+<owner>` after failures.
local held = redis.call('GET', lease)
if held ~= owner and not (held and held:match('^!%d+%+(.+)$') == owner) then
  -- A resend finds its own work. The value is compared too, so that an owner
  -- used for a second fetch is not told that this one was stored.
  if stored[3] == owner and stored[2] == negative and redis.call('HGET', entry, 'd') == value then
    return {'Stored'}
  end
  return {'LeaseLost'}
end

if format then
  redis.call('UNLINK', entry)
end
redis.call(
  'HSET', entry, 'v', '1', 'd', value,
  's', string.format('%.0f', now_ms + soft_ms),
  'x', string.format('%.0f', cost_ms),
  'n', negative,
  't', string.format('%.0f', now_ms),
  'o', owner
)
redis.call('PEXPIRE', entry, string.format('%.0f', hard_ms))
redis.call('UNLINK', lease)
redis.call('SPUBLISH', filled, 'filled')
return {'Stored'}
