#!lua flags=allow-oom
--- Take a player off a board.
--
-- A call sent again finds it gone.
--
-- @version 1.0.0
-- @key     scores       leaderboard:{<board>}:scores:<order> zset
-- @key     ids          leaderboard:{<board>}:ids:<order> hash
-- @arg     id           str 1..128
-- @returns Removed
-- @returns NotRanked
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   ids leaderboard-ids/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example once
--   leaderboard.submit board=week order=high id=ann score=10 -> Ranked
--   remove board=week order=high id=ann -> Removed
--   remove board=week order=high id=ann -> NotRanked
--   remove board=week order=up id=ann -> error BadArgument
-- @example the others move up
--   leaderboard.submit board=race order=low id=ann score=61 -> Ranked
--   leaderboard.submit board=race order=low id=bob score=62 -> Ranked
--   remove board=race order=low id=ann -> Removed
--   leaderboard.rank board=race order=low id=bob -> Ranked rank=1 entries=1

local scores, ids = KEYS[1], KEYS[2]
local id = ARGV[1]


local order = scores:match(':scores:([^:]+)$')
if order ~= 'high' and order ~= 'low' then
  return redis.error_reply('RLUA_BAD_ARGUMENT order must be high or low')
end
if not id or #id < 1 or #id > 128 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 128 bytes')
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
local removed = redis.call('ZREM', scores, (mark or '') .. id)
if mark then
  redis.call('HDEL', ids, 'i:' .. id)
end
return {removed == 1 and 'Removed' or 'NotRanked'}
