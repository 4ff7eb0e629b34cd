#!lua
--- Count a failure, and have the subject wait longer with each.
--
-- The first free failures cost nothing. After these the subject is `Locked`: for base,
-- twice as long after the next failure, and so on up to most. A failure while it is
-- locked counts as well and begins the wait anew. forget after the wait the count begins
-- at 0, as it does after `ok`.
--
-- To let no burst of guesses pass, call it before each attempt, in mode `attempt`, and `ok`
-- after one that succeeded: while the subject is locked an attempt is `Refused` and not
-- counted, and of attempts at the same moment only those go on that are free, and one.
--
-- Make a new token for each failure. The last one, sent again, gets the same answer; one
-- that others have overtaken is counted again, which locks for longer. No call makes a lock
-- shorter, with whatever terms. When the server's clock was set back whoever was locked is
-- free, with all failures still counted.
--
-- An absent key has no failures: keep it on a server that does not evict.
--
-- @version 1.0.0
-- @key     failures    backoff:{<key>}:failures string expires
-- @arg     base        ms 1..86_400_000 = 1s
-- @arg     most        ms 1..31_622_400_000 = 1h
-- @arg     free        int 0..1_000_000 = 0
-- @arg     forget      ms 1..31_622_400_000 = 1d
-- @arg     mode        enum(count, attempt) = count
-- @arg     token       token
-- @returns Free        fails:int left:int
-- @returns Locked      fails:int retry_after:ms
-- @returns Refused     fails:int retry_after:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example twice for nothing, then longer and longer
--   fail key=ann free=2 token=t1 -> Free fails=1 left=1
--   fail key=ann free=2 token=t2 -> Free fails=2 left=0
--   fail key=ann free=2 token=t3 -> Locked fails=3 retry_after=1s
--   fail key=ann free=2 token=t4 -> Locked fails=4 retry_after=2s
--   fail key=ann free=2 token=t4 -> Locked fails=4 retry_after<=2s
--   backoff.check key=ann -> Locked fails=4 retry_after<=2s
--   backoff.ok key=ann -> Ok fails=4
--   backoff.check key=ann -> Free fails=0
-- @example attempts that are counted first
--   fail key=cid free=1 mode=attempt token=t1 -> Free fails=1 left=0
--   fail key=cid free=1 mode=attempt token=t2 -> Locked fails=2 retry_after=1s
--   fail key=cid free=1 mode=attempt token=t3 -> Refused fails=2 retry_after<=1s
--   fail key=cid free=1 mode=attempt token=t2 -> Locked fails=2 retry_after<=1s
-- @example no longer than most
--   fail key=bob base=1000ms most=1500ms token=t1 -> Locked fails=1 retry_after=1000ms
--   fail key=bob base=1000ms most=1500ms token=t2 -> Locked fails=2 retry_after=1500ms
--   fail key=bob base=1000ms most=1500ms token=t3 -> Locked fails=3 retry_after=1500ms
--   fail key=bob base=2s most=1s -> error BadArgument

local failures = KEYS[1]
local base_ms, most_ms, free, forget_ms, mode, token =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact
local DOUBLINGS = 40 -- whatever base is, so many reach most

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

base_ms = integer(base_ms, 1, 86400000)
if not base_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT base must be an integer in 1..86400000 ms')
end
most_ms = integer(most_ms, 1, 31622400000)
if not most_ms or most_ms < base_ms then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT most must be an integer in 1..31622400000 ms, and at least base'
  )
end
free = integer(free, 0, 1000000)
if not free then
  return redis.error_reply('RLUA_BAD_ARGUMENT free must be an integer in 0..1000000')
end
forget_ms = integer(forget_ms, 1, 31622400000)
if not forget_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT forget must be an integer in 1..31622400000 ms')
end
if mode ~= 'count' and mode ~= 'attempt' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be count or attempt')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- The state is `<failures>:<ms of the last one>:<ms until which it is locked>:<its token>`.
local stored = redis.call('GET', failures)
local count, left_ms = 0, 0
if stored then
  local count_text, last, locked, last_token = stored:match('^(%d+):(%d+):(%d+):(.+)$')
  count = integer(count_text, 1, GREATEST - 1)
  local last_ms, until_ms = integer(last, 0, GREATEST), integer(locked, 0, GREATEST)
  if not count or not last_ms or not until_ms then
    return redis.error_reply('RLUA_BAD_STATE the failures are not `<n>:<ms>:<ms>:<token>`')
  end
  left_ms = now_ms >= last_ms and until_ms - now_ms or 0 -- else the clock was set back
  if last_token == token then
    if left_ms > 0 then
      return {'Locked', count, left_ms}
    end
    return {'Free', count, math.max(free - count, 0)}
  end
  if mode == 'attempt' and left_ms > 0 then
    return {'Refused', count, left_ms}
  end
end

count = count + 1
local wait_ms = math.max(left_ms, 0)
if count > free then
  local own_ms = math.min(base_ms * 2 ^ math.min(count - free - 1, DOUBLINGS), most_ms)
  wait_ms = math.max(own_ms, wait_ms)
end
local state = string.format('%.0f:%.0f:%.0f:', count, now_ms, now_ms + wait_ms) .. token
redis.call('SET', failures, state, 'PX', string.format('%.0f', wait_ms + forget_ms))
if wait_ms > 0 then
  return {'Locked', count, wait_ms}
end
return {'Free', count, free - count}
