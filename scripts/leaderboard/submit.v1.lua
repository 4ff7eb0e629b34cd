#!lua
--- Enter a score: the best one counts, or the last, or the worst.
--
-- order is `high` where the highest score leads, or `low`: they are boards of their own. Of
-- equal scores the one that was reached first leads, to the microsecond. rank counts places
-- from 1, tied_rank gives equal scores the same.
--
-- A score that does not count leaves the player `Unchanged`, and so does an equal one: who
-- reached it first stays ahead. So a call sent again changes nothing.
--
-- The board keeps the best max_entries; a call drops at most 50 others. `BelowCut` tells
-- that this one is not among them, and the score that is the last on the board. ttl, if
-- given, begins anew with each change.
--
-- Scores are doubles: integers below 2^53 are exact. They come back as text that holds
-- every digit. Keep boards on a server that does not evict.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @key     ids          leaderboard:{<board>}:ids:<order> hash
-- @arg     id           str 1..128
-- @arg     score        float -9_007_199_254_740_991..9_007_199_254_740_991
-- @arg     mode         enum(best, last, worst) = best
-- @arg     max_entries  int 1..1_000_000 = 100_000
-- @arg     ttl          ms 0..31_622_400_000 = 0
-- @returns Ranked       rank:int tied_rank:int score:str previous:str?
-- @returns Unchanged    rank:int tied_rank:int score:str
-- @returns BelowCut     cut:str
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   ids leaderboard-ids/1
-- @retry   safe
-- @budget  calls<=15 growth=1
-- @example who reached a score first leads
--   submit board=week order=high id=ann score=10 -> Ranked rank=1 tied_rank=1 score=10
--   wait 2ms
--   submit board=week order=high id=bob score=10 -> Ranked rank=2 tied_rank=1
--   submit board=week order=high id=cid score=12.5 -> Ranked rank=1 tied_rank=1 score=12.5
--   submit board=week order=high id=bob score=9 -> Unchanged rank=3 tied_rank=2 score=10
--   submit board=week order=high id=bob score=9 mode=last -> Ranked rank=3 tied_rank=3 previous=10
-- @example the lowest score leads, and two are kept
--   submit board=race order=low id=ann score=61.5 max_entries=2 ttl=1h -> Ranked rank=1
--   submit board=race order=low id=bob score=60 max_entries=2 ttl=1h -> Ranked rank=1
--   submit board=race order=low id=cid score=62 max_entries=2 ttl=1h -> BelowCut cut=61.5
--   submit board=race order=low id=bob score=61 max_entries=2 mode=worst -> Ranked rank=1 previous=60
--   submit board=race order=up id=bob score=61 -> error BadArgument

local scores, ids = KEYS[1], KEYS[2]
local id, score, mode, max_entries, ttl_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

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
local new_score = number_of(score)
if not new_score then
  return redis.error_reply('RLUA_BAD_ARGUMENT score must be a number below 2^53')
end
if mode ~= 'best' and mode ~= 'last' and mode ~= 'worst' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be best, last or worst')
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
local old_score = old_text and tonumber(old_text)

local function ranked_as(member, score_text)
  local rank, tied_rank
  if order == 'high' then
    rank = redis.call('ZREVRANK', scores, member)
    tied_rank = redis.call('ZCOUNT', scores, '(' .. score_text, '+inf') + 1
  else
    rank = redis.call('ZRANK', scores, member)
    tied_rank = redis.call('ZCOUNT', scores, '-inf', '(' .. score_text) + 1
  end
  return (rank or 0) + 1, tied_rank
end

local counts = not old_score or (new_score ~= old_score and mode == 'last')
if old_score and mode ~= 'last' then
  local is_better = new_score < old_score
  if order == 'high' then
    is_better = new_score > old_score
  end
  counts = new_score ~= old_score and is_better == (mode == 'best')
end
if not counts then
  local old = string.format('%.17g', old_score)
  local rank, tied_rank = ranked_as(mark .. id, old)
  return {'Unchanged', rank, tied_rank, old}
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
local rank, tied_rank = ranked_as(new_mark .. id, score_text)
live_on()
return {'Ranked', rank, tied_rank, score_text, old_score and string.format('%.17g', old_score)}
