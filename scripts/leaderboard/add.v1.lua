#!lua
--- Add to a player's score, which begins at 0.
--
-- order is `high` where the highest score leads, or `low`: they are boards of their own. Of
-- equal scores the one that was reached first leads, to the microsecond. rank counts places
-- from 1, tied_rank gives equal scores the same.
--
-- The board keeps the best max_entries; a call drops at most 50 others. `BelowCut` tells
-- that this one is not among them, and the score that is the last on the board. ttl, if
-- given, begins anew with each change.
--
-- A call that was executed twice adds twice: it is never sent again by itself. Who is
-- dropped begins at 0 again. Keep boards on a server that does not evict.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @key     ids          leaderboard:{<board>}:ids:<order> hash
-- @arg     id           str 1..128
-- @arg     amount       float -9_007_199_254_740_991..9_007_199_254_740_991
-- @arg     max_entries  int 1..1_000_000 = 100_000
-- @arg     ttl          ms 0..31_622_400_000 = 0
-- @returns Ranked       rank:int tied_rank:int score:str
-- @returns BelowCut     cut:str
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   OutOfRange  The score would not lie within 2^53 of 0; nothing was added.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   ids leaderboard-ids/1
-- @retry   never
-- @budget  calls<=15 growth=1
-- @example points add up
--   add board=week order=high id=ann amount=10 -> Ranked rank=1 score=10
--   add board=week order=high id=bob amount=8 -> Ranked rank=2 score=8
--   add board=week order=high id=bob amount=2.5 -> Ranked rank=1 score=10.5
--   add board=week order=high id=bob amount=9007199254740991 -> error OutOfRange
--   add board=week order=up id=bob amount=1 -> error BadArgument
-- @example too few to stay
--   add board=race order=low id=ann amount=5 max_entries=1 ttl=1h -> Ranked rank=1
--   add board=race order=low id=bob amount=7 max_entries=1 ttl=1h -> BelowCut cut=5

local scores, ids = KEYS[1], KEYS[2]
local id, amount, max_entries, ttl_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local GREATEST = 9007199254740991 -- 2^53 - 1
local MOST = GREATEST -- of a score: integers up to here are exact
local MOST_TRIMMED = 50

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local function number_of(text)
  local number = text and text:find('^[%d.eE+-]+$') and tonumber(text)
  return number and number >= -MOST and number <= MOST and number + 0 or nil
end

local order = scores:match(':scores:([^:]+)$')
if order ~= 'high' and order ~= 'low' then
  return redis.error_reply('RLUA_BAD_ARGUMENT order must be high or low')
end
if not id or #id < 1 or #id > 128 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 128 bytes')
end
amount = number_of(amount)
if not amount then
  return redis.error_reply('RLUA_BAD_ARGUMENT amount must be a number below 2^53')
end
max_entries = integer(max_entries, 1, 1000000)
if not max_entries then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_entries must be an integer in 1..1000000')
end
ttl_ms = integer(ttl_ms, 0, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 0..31622400000 ms')
end

local stored = redis.call('HMGET', ids, 'v', 'i:' .. id)
local format, mark = stored[1], stored[2]
if format then
  if format ~= '1' or (mark and (#mark ~= 16 or not mark:find('^%d+$'))) then
    return redis.error_reply('RLUA_BAD_STATE the ids are not in format 1')
  end
elseif redis.call('EXISTS', ids) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the ids have no format number')
end
local score_now = redis.call('ZSCORE', scores, (mark or '') .. id)
local old_text = mark and score_now -- a member without a mark is not the family's
local new_score = (tonumber(old_text or 0) or 0) + amount
if new_score < -MOST or new_score > MOST then
  return redis.error_reply('RLUA_OUT_OF_RANGE the score would be beyond 2^53')
end

-- Equal scores are in the order of their members, which begin with the time in microseconds:
-- as 16 digits where the lowest score leads, and taken from 2^53 - 1 where the highest does.
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local new_mark = string.format('%016.0f', order == 'high' and GREATEST - now_us or now_us)
local score_text = string.format('%.17g', new_score)
if not format then
  redis.call('UNLINK', scores) -- an eviction took the ids: nobody's place could be found again
elseif old_text then
  redis.call('ZREM', scores, mark .. id)
end
redis.call('ZADD', scores, score_text, new_mark .. id)
redis.call('HSET', ids, 'v', '1', 'i:' .. id, new_mark)
local excess = math.min(redis.call('ZCARD', scores) - max_entries, MOST_TRIMMED)
local is_below = false
if excess > 0 then
  local popped
  if order == 'high' then
    popped = redis.call('ZPOPMIN', scores, string.format('%.0f', excess))
  else
    popped = redis.call('ZPOPMAX', scores, string.format('%.0f', excess))
  end
  local gone = {}
  for at = 1, #popped, 2 do
    gone[#gone + 1] = 'i:' .. popped[at]:sub(17)
    is_below = is_below or popped[at] == new_mark .. id
  end
  redis.call('HDEL', ids, unpack(gone))
end
-- Called last: what expires at once is not to be looked at again.
local function live_on()
  if ttl_ms > 0 then
    redis.call('PEXPIRE', scores, string.format('%.0f', ttl_ms))
    redis.call('PEXPIRE', ids, string.format('%.0f', ttl_ms))
  end
end
if is_below then
  local last = order == 'high' and 0 or -1
  local cut = redis.call('ZRANGE', scores, last, last, 'WITHSCORES')
  live_on()
  return {'BelowCut', string.format('%.17g', tonumber(cut[2]))}
end
local rank, tied_rank
if order == 'high' then
  rank = redis.call('ZREVRANK', scores, new_mark .. id)
  tied_rank = redis.call('ZCOUNT', scores, '(' .. score_text, '+inf') + 1
else
  rank = redis.call('ZRANK', scores, new_mark .. id)
  tied_rank = redis.call('ZCOUNT', scores, '-inf', '(' .. score_text) + 1
end
live_on()
return {'Ranked', rank + 1, tied_rank, score_text}
