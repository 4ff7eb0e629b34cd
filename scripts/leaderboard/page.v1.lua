#!lua flags=no-writes
--- Return the players of some places of a board, the leader first.
--
-- first counts from 0. Every row has the player's place from 1, the place that equal scores
-- share, and since: when the score was reached, in microseconds since 1970 by the server's
-- clock. entries is how many players the board has.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @arg     first        int 0..1_000_000 = 0
-- @arg     count        int 1..100 = 10
-- @returns Page         entries:int rows:(id:str score:str rank:int tied_rank:int since:int)...
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=3 growth=linear n=count
-- @example the second place
--   leaderboard.submit board=week order=high id=ann score=10 -> Ranked
--   leaderboard.submit board=week order=high id=bob score=12 -> Ranked
--   page board=week order=high first=1 count=5 -> Page entries=2
--   page board=week order=high count=1 -> Page entries=2
--   page board=week order=up -> error BadArgument
-- @example the lowest score leads
--   leaderboard.submit board=race order=low id=ann score=61 -> Ranked
--   page board=race order=low -> Page entries=1
--   page board=nobody order=low -> Page entries=0 rows=[]

local scores = KEYS[1]
local first, count = ARGV[1], ARGV[2]

local GREATEST = 9007199254740991 -- 2^53 - 1

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local order = scores:match(':scores:([^:]+)$')
if order ~= 'high' and order ~= 'low' then
  return redis.error_reply('RLUA_BAD_ARGUMENT order must be high or low')
end
first = integer(first, 0, 1000000)
if not first then
  return redis.error_reply('RLUA_BAD_ARGUMENT first must be an integer in 0..1000000')
end
count = integer(count, 1, 100)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..100')
end

local from, to = string.format('%.0f', first), string.format('%.0f', first + count - 1)
local found
if order == 'high' then
  found = redis.call('ZRANGE', scores, from, to, 'REV', 'WITHSCORES')
else
  found = redis.call('ZRANGE', scores, from, to, 'WITHSCORES')
end
local reply = {'Page', redis.call('ZCARD', scores)}
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
