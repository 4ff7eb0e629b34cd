#!lua flags=no-writes
--- List the sessions of a user, the one that was used last first.
--
-- Up to count of them, from offset on; next is the offset of those that follow, if any.
-- left is for how long each lives on if nobody uses it.
--
-- @version 1.0.0
-- @key     index        session:{<user>}:index zset expires
-- @arg     offset       int 0..1_000_000 = 0
-- @arg     count        int 1..100 = 100
-- @returns Listed       sessions:int next:int? rows:(sid:str left:ms)...
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=3 growth=linear n=count
-- @example page by page
--   session.create user=ann sid=a idle=1h absolute=1d fields=[] -> Created
--   session.create user=ann sid=b idle=2h absolute=1d fields=[] -> Created
--   list user=ann count=1 -> Listed sessions=2 next=1
--   list user=ann offset=1 count=1 -> Listed sessions=2
-- @example none
--   list user=bob -> Listed sessions=0 rows=[]

local index = KEYS[1]
local offset, count = ARGV[1], ARGV[2]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

offset = integer(offset, 0, 1000000)
if not offset then
  return redis.error_reply('RLUA_BAD_ARGUMENT offset must be an integer in 0..1000000')
end
count = integer(count, 1, 100)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..100')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local after = string.format('(%.0f', now_ms)
local live = redis.call('ZCOUNT', index, after, '+inf')
local found = redis.call(
  'ZRANGE', index, '+inf', after, 'BYSCORE', 'REV', 'LIMIT', string.format('%.0f', offset),
  string.format('%.0f', count), 'WITHSCORES'
)
local following = offset + #found / 2
local reply = {'Listed', live, following < live and #found > 0 and following}
for at = 1, #found, 2 do
  reply[#reply + 1] = found[at]
  reply[#reply + 1] = math.floor(tonumber(found[at + 1])) - now_ms
end
return reply
