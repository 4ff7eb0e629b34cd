#!lua flags=no-writes
--- Return the place of a player, or the place that a score would have.
--
-- Give id or score. A score comes behind all that are equal to it. entries is how many
-- players the board has.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @key     ids          leaderboard:{<board>}:ids:<order> hash
-- @arg     id           str 1..128 = none
-- @arg     score        float -9_007_199_254_740_991..9_007_199_254_740_991 = none
-- @returns Ranked       rank:int tied_rank:int score:str entries:int
-- @returns NotRanked
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   ids leaderboard-ids/1
-- @retry   safe
-- @budget  calls<=6 growth=1
-- @example of a player
--   leaderboard.submit board=week order=high id=ann score=10 -> Ranked
--   wait 2ms
--   leaderboard.submit board=week order=high id=bob score=10 -> Ranked
--   rank board=week order=high id=bob -> Ranked rank=2 tied_rank=1 score=10 entries=2
--   rank board=week order=high id=dan -> NotRanked
-- @example of a score
--   leaderboard.submit board=race order=low id=ann score=61 -> Ranked
--   rank board=race order=low score=61 -> Ranked rank=2 tied_rank=1 score=61 entries=1
--   rank board=race order=low id=ann -> Ranked rank=1
--   rank board=race order=low -> error BadArgument
--   rank board=race order=up id=ann -> error BadArgument

local scores, ids = KEYS[1], KEYS[2]
local id, score = ARGV[1], ARGV[2]

local MOST = 9007199254740991 -- of a score: integers up to here are exact

local function number_of(text)
  local number = text and text:find('^[%d.eE+-]+$') and tonumber(text)
  return number and number >= -MOST and number <= MOST and number + 0 or nil
end

local order = scores:match(':scores:([^:]+)$')
if order ~= 'high' and order ~= 'low' then
  return redis.error_reply('RLUA_BAD_ARGUMENT order must be high or low')
end
if not id or #id > 128 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be at most 128 bytes')
end
local asked = number_of(score)
if score ~= '' and not asked then
  return redis.error_reply('RLUA_BAD_ARGUMENT score must be a number below 2^53, or empty')
end
if (id == '') == (score == '') then
  return redis.error_reply('RLUA_BAD_ARGUMENT id or score must be given, and not both')
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
local entries = redis.call('ZCARD', scores)
if asked then
  local score_text = string.format('%.17g', asked)
  local ahead, better
  if order == 'high' then
    ahead = redis.call('ZCOUNT', scores, score_text, '+inf')
    better = redis.call('ZCOUNT', scores, '(' .. score_text, '+inf')
  else
    ahead = redis.call('ZCOUNT', scores, '-inf', score_text)
    better = redis.call('ZCOUNT', scores, '-inf', '(' .. score_text)
  end
  return {'Ranked', ahead + 1, better + 1, score_text, entries}
end
local stored_score = redis.call('ZSCORE', scores, (mark or '') .. id)
if not mark or not stored_score then
  return {'NotRanked'}
end
local score_text = string.format('%.17g', tonumber(stored_score))
local rank, tied_rank
if order == 'high' then
  rank = redis.call('ZREVRANK', scores, mark .. id)
  tied_rank = redis.call('ZCOUNT', scores, '(' .. score_text, '+inf') + 1
else
  rank = redis.call('ZRANK', scores, mark .. id)
  tied_rank = redis.call('ZCOUNT', scores, '-inf', '(' .. score_text) + 1
end
return {'Ranked', rank + 1, tied_rank, score_text, entries}
