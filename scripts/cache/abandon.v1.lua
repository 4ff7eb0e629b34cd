#!lua flags=allow-oom
--- Give a lease back after a fetch that failed, and hold further fetches off for a while.
--
-- Nobody gets the lease during the cooldown. `get_or_lock` answers with a stale
-- value where there is one, else with `Wait` and the number of failures, so
-- that callers learn of the failure at once and need not wait for the hold to
-- run out. Everybody who waits on the key's channel is woken.
--
-- fails counts the calls of `abandon` since the last value or invalidation. It
-- outlives the cooldown by 60 seconds, and goes with a lease that runs out
-- because its holder died. `Lost` says that the owner no longer holds the lease.
-- The same owner abandoning again gets the same answer, and the cooldown does
-- not start anew.
--
-- @version 1.0.0
-- @key     lease    cache:{<key>}:lease string expires
-- @arg     owner    owner
-- @arg     cooldown ms 1..600_000
-- @channel filled   cache:{<key>}:filled
-- @returns Released fails:int
-- @returns Lost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example the cooldown is seen by everybody
--   cache.get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   abandon key=user:1 owner=a cooldown=2000ms -> Released fails=1
--   abandon key=user:1 owner=a cooldown=2000ms -> Released fails=1
--   cache.get_or_lock key=user:1 owner=b hold=5000ms -> Wait retry_after<=2000ms fails=1
-- @example failures in a row are counted
--   cache.get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   abandon key=user:2 owner=a cooldown=1ms -> Released fails=1
--   wait 20ms
--   cache.get_or_lock key=user:2 owner=b hold=5000ms -> Fill
--   abandon key=user:2 owner=b cooldown=1000ms -> Released fails=2
-- @example only the holder can give back
--   abandon key=user:3 owner=a cooldown=1000ms -> Lost
--   cache.get_or_lock key=user:3 owner=a hold=5000ms -> Fill
--   abandon key=user:3 owner=b cooldown=1000ms -> Lost

local lease = KEYS[1]
local owner, cooldown_ms, filled = ARGV[1], ARGV[2], ARGV[3]

local REMEMBER_MS = 60000 -- that the count outlives the cooldown, as in `get_or_lock`

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 or owner:sub(1, 1) == '!' then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes and not begin with !')
end
cooldown_ms = integer(cooldown_ms, 1, 600000)
if not cooldown_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT cooldown must be an integer in 1..600000 ms')
end
if not filled or filled == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT filled must be the name of a channel')
end

-- The lease is `owner`, `!<fails>+<owner>` when held after failures, or
-- `!<fails>:<owner>` when nobody holds it after that owner's failure.
local held = redis.call('GET', lease)
local fails, mark, holder = '0', '+', held
if held and held:sub(1, 1) == '!' then
  fails, mark, holder = held:match('^!(%d+)([+:])(.+)$')
  if not fails then
    return redis.error_reply('RLUA_BAD_STATE the lease is neither held nor cooling down')
  end
end
if holder ~= owner then
  return {'Lost'}
end
local count = tonumber(fails)
if mark == ':' then
  return {'Released', count}
end

count = count + 1
redis.call(
  'SET', lease, '!' .. string.format('%.0f', count) .. ':' .. owner,
  'PX', cooldown_ms + REMEMBER_MS
)
redis.call('SPUBLISH', filled, 'abandoned')
return {'Released', count}
