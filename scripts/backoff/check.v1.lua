#!lua flags=no-writes
--- Tell whether a subject has to wait, without counting anything.
--
-- Callers that ask at the same moment are all let through: where that is too many, let
-- `fail` count each attempt before it is made.
--
-- @version 1.0.0
-- @key     failures    backoff:{<key>}:failures string expires
-- @returns Free        fails:int
-- @returns Locked      fails:int retry_after:ms
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=2 growth=1
-- @example locked, and not
--   check key=ann -> Free fails=0
--   backoff.fail key=ann free=1 -> Free fails=1
--   check key=ann -> Free fails=1
--   backoff.fail key=ann free=1 -> Locked fails=2
--   check key=ann -> Locked fails=2 retry_after<=1s
-- @example until the wait is over
--   backoff.fail key=bob base=1ms -> Locked fails=1
--   wait 20ms
--   check key=bob -> Free fails=1

local failures = KEYS[1]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local stored = redis.call('GET', failures)
if not stored then
  return {'Free', 0}
end
local count, last, locked = stored:match('^(%d+):(%d+):(%d+):.+$')
count = integer(count, 1, GREATEST)
local last_ms, until_ms = integer(last, 0, GREATEST), integer(locked, 0, GREATEST)
if not count or not last_ms or not until_ms then
  return redis.error_reply('RLUA_BAD_STATE the failures are not `<n>:<ms>:<ms>:<token>`')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local left_ms = now_ms >= last_ms and until_ms - now_ms or 0 -- else the clock was set back
if left_ms > 0 then
  return {'Locked', count, left_ms}
end
return {'Free', count}
