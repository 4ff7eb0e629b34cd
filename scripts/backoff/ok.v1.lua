#!lua flags=allow-oom
--- Forget the failures of a subject: it has succeeded.
--
-- fails tells how many there were. A call sent again finds none.
--
-- @version 1.0.0
-- @key     failures    backoff:{<key>}:failures string expires
-- @returns Ok          fails:int
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=2 growth=1
-- @example the count begins anew
--   backoff.fail key=ann -> Locked fails=1
--   ok key=ann -> Ok fails=1
--   ok key=ann -> Ok fails=0
-- @example the next failure is the first
--   backoff.fail key=bob free=1 -> Free fails=1
--   ok key=bob -> Ok fails=1
--   backoff.fail key=bob free=1 -> Free fails=1

local failures = KEYS[1]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local stored = redis.call('GET', failures)
if not stored then
  return {'Ok', 0}
end
local count = integer(stored:match('^(%d+):%d+:%d+:.+$'), 1, GREATEST)
if not count then
  return redis.error_reply('RLUA_BAD_STATE the failures are not `<n>:<ms>:<ms>:<token>`')
end
redis.call('UNLINK', failures)
return {'Ok', count}
