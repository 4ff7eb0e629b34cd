#!lua flags=no-writes
--- Return a player and those before and behind it.
--
-- Up to radius on either side, the leader first, in the rows of `page`.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @key     ids          leaderboard:{<board>}:ids:<order> hash
-- @arg     id           str 1..128
-- @arg     radius       int 0..50 = 5
-- @returns Around       entries:int rows:(id:str score:str rank:int tied_rank:int since:int)...
-- @returns NotRanked
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   ids leaderboard-ids/1
-- @retry   safe
-- @budget  calls<=6 growth=linear n=radius
-- @example one on either side
--   leaderboard.submit board=week order=high id=ann score=10 -> Ranked
--   leaderboard.submit board=week order=high id=bob score=12 -> Ranked
--   leaderboard.submit board=week order=high id=cid score=14 -> Ranked
--   around board=week order=high id=bob radius=1 -> Around entries=3
--   around board=week order=high id=dan -> NotRanked
--   around board=week order=up id=bob -> error BadArgument
-- @example alone
--   leaderboard.submit board=race order=low id=ann score=61 -> Ranked
--   around board=race order=low id=ann radius=0 -> Around entries=1
--   around board=race order=low id=ann -> Around entries=1

local scores, ids = KEYS[1], KEYS[2]
local id, radius = ARGV[1], ARGV[2]

local GREATEST = 9007199254740991 -- 2^53 - 1

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local order = scores:match(':scores:([^:]+)$')
if order ~= 'high' and order ~= 'low' then
  return redis.error_reply('RLUA_BAD_ARGUMENT order must be high or low')
end
if not id or #id < 1 or #id > 128 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 128 bytes')
end
radius = integer(radius, 0, 50)
if not radius then
  return redis.error_reply('RLUA_BAD_ARGUMENT radius must be an integer in 0..50')
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
local place
if order == 'high' then
  place = redis.call('ZREVRANK', scores, (mark or '') .. id)
else
  place = redis.call('ZRANK', scores, (mark or '') .. id)
end
if not mark or not place then
  return {'NotRanked'}
end

local first = math.max(place - radius, 0)
local from, to = string.format('%.0f', first), string.format('%.0f', place + radius)
local found
if order == 'high' then
  found = redis.call('ZRANGE', scores, from, to, 'REV', 'WITHSCORES')
else
  found = redis.call('ZRANGE', scores, from, to, 'WITHSCORES')
end
local reply = {'Around', redis.call('ZCARD', scores)}
local rank, tied_rank = first, 0
local last_score
for at = 1, #found, 2 do
  local member, score_text = found[at], string.format('%.17g', tonumber(found[at + 1]))
  rank = rank + 1
  if score_text ~= last_score then
    last_score, tied_rank = score_text, rank
    if at == 1 then
      tied_rank = 1
        + redis.call(
          'ZCOUNT', scores, order == 'high' and '(' .. score_text or '-inf',
          order == 'high' and '+inf' or '(' .. score_text
        )
    end
  end
  local reached = tonumber(member:sub(1, 16))
  if not reached then
    return redis.error_reply('RLUA_BAD_STATE a member of the board is not in format 1')
  end
  reply[#reply + 1] = member:sub(17)
  reply[#reply + 1] = score_text
  reply[#reply + 1] = rank
  reply[#reply + 1] = tied_rank
  reply[#reply + 1] = order == 'high' and GREATEST - reached or reached
end
return reply
