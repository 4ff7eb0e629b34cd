#!lua flags=no-writes
--- List the jobs that were given up, the last one first.
--
-- Up to count of them and 96 KiB of payload, from the one at start on, 0 being the
-- last. The next page begins at start and the number of rows: a job that dies between
-- two pages shows one job twice. total counts all. died_at is in milliseconds since 1970
-- by the server's clock. `schedule` with mode `replace` makes such a job due again, and
-- `remove` ends it.
--
-- @version 1.0.0
-- @key     jobs        queue:{<name>}:jobs hash
-- @key     dead        queue:{<name>}:dead zset
-- @arg     start       int 0..10_000 = 0
-- @arg     count       int 1..100 = 100
-- @returns Listed      total:int rows:(id:str attempts:int died_at:int payload:bytes)...
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=105 growth=linear n=count
-- @example none
--   list_dead name=mail -> Listed total=0 rows=[]
-- @example one was given up, and gets another chance
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=60000ms -> Claimed
--   queue.nack name=mail id=1 receipt=w1 max_attempts=1 -> Dead
--   list_dead name=mail -> Listed total=1
--   list_dead name=mail start=1 -> Listed total=1 rows=[]
--   queue.schedule name=mail id=1 payload=hello mode=replace -> Rescheduled
--   list_dead name=mail -> Listed total=0 rows=[]
--   queue.claim name=mail receipt=w2 lease=60000ms -> Claimed rows=[(1, 1, hello)]

local jobs, dead = KEYS[1], KEYS[2]
local start, count = ARGV[1], ARGV[2]

local MOST_BYTES = 98304 -- of payload in one page

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

start = integer(start, 0, 10000)
if not start then
  return redis.error_reply('RLUA_BAD_ARGUMENT start must be an integer in 0..10000')
end
count = integer(count, 1, 100)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..100')
end

local format = redis.call('HGET', jobs, 'v')
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the jobs are not in format 1')
  end
elseif redis.call('EXISTS', jobs) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the jobs have no format number')
end

local found = redis.call('ZRANGE', dead, start, start + count - 1, 'REV', 'WITHSCORES')
local reply, size = {'Listed', redis.call('ZCARD', dead)}, 0
for index = 1, #found, 2 do
  local id = found[index]
  local stored = redis.call('HMGET', jobs, 'p:' .. id, 's:' .. id)
  -- The payload stands behind a byte with the length of a token, and the token. An
  -- eviction may have taken it.
  local payload = stored[1] and stored[1]:sub(2 + (stored[1]:byte(1) or 0)) or ''
  size = size + #payload
  if size > MOST_BYTES then
    break
  end
  reply[#reply + 1] = id
  reply[#reply + 1] = integer(stored[2] and stored[2]:match('^%d+'), 1, 9007199254740991) or 0
  reply[#reply + 1] = tonumber(found[index + 1])
  reply[#reply + 1] = payload
end
return reply
