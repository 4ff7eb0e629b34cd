#!lua flags=allow-oom
--- Give a job back that could not be done: it is due again after delay, or dead.
--
-- `Retried` tells when it is due: milliseconds since 1970 by the server's clock. After
-- max_attempts claims it is `Dead` instead, and claimed no more. Of the dead the last
-- keep_dead are kept, payload and all, until `schedule` replaces them or `remove` ends
-- them; the others are dropped, with 0 this one at once. When the job is due before all
-- others, everybody who waits on the queue's channel is woken.
--
-- A job that is due or dead already, after the same call for instance, stays so: that is
-- the answer, and nothing is written. `Lost` says that somebody else claimed it, or
-- that `schedule` replaced it; `Gone` that there is no such job.
--
-- @version 1.0.0
-- @key     due          queue:{<name>}:due zset
-- @key     inflight     queue:{<name>}:inflight zset
-- @key     jobs         queue:{<name>}:jobs hash
-- @key     claims       queue:{<name>}:claims zset
-- @key     dead         queue:{<name>}:dead zset
-- @arg     id           str 1..64
-- @arg     receipt      owner
-- @arg     delay        ms 0..31_622_400_000 = 0
-- @arg     max_attempts int 1..1_000_000 = 25
-- @arg     keep_dead    int 0..10_000 = 1_000
-- @channel sooner       queue:{<name>}:sooner
-- @returns Retried      run_at:int
-- @returns Dead         attempts:int
-- @returns Lost
-- @returns Gone
-- @error   BadArgument  An argument is malformed or out of the range that the header declares.
-- @error   BadState     The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=17 growth=1
-- @example it is claimed again after its delay
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed rows=[(1, 1, hello)]
--   nack name=mail id=1 receipt=w1 delay=200ms -> Retried
--   nack name=mail id=1 receipt=w1 delay=90000ms -> Retried run_at=$3.run_at
--   queue.claim name=mail receipt=w2 lease=30000ms -> Empty next_after<=200ms
--   wait 250ms
--   queue.claim name=mail receipt=w2 lease=30000ms -> Claimed rows=[(1, 2, hello)]
--   nack name=mail id=1 receipt=w1 -> Lost
-- @example until it is given up
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed
--   nack name=mail id=1 receipt=w1 max_attempts=1 -> Dead attempts=1
--   nack name=mail id=1 receipt=w1 max_attempts=1 -> Dead attempts=1
--   queue.claim name=mail receipt=w2 lease=30000ms -> Empty next_after=none
--   queue.list_dead name=mail -> Listed total=1
-- @example and is gone when the dead are not kept
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed
--   nack name=mail id=1 receipt=w1 max_attempts=1 keep_dead=0 -> Dead attempts=1
--   nack name=mail id=1 receipt=w1 max_attempts=1 keep_dead=0 -> Gone
--   queue.list_dead name=mail -> Listed total=0

local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, receipt, delay_ms, max_attempts, keep_dead, sooner =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local MOST_DROPPED = 128 -- dead jobs in one call, as in `claim`

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not id or #id < 1 or #id > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 64 bytes')
end
if not receipt or #receipt < 1 or #receipt > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT receipt must be 1 to 48 bytes')
end
delay_ms = integer(delay_ms, 0, 31622400000)
if not delay_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT delay must be an integer in 0..31622400000 ms')
end
max_attempts = integer(max_attempts, 1, 1000000)
if not max_attempts then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_attempts must be an integer in 1..1000000')
end
keep_dead = integer(keep_dead, 0, 10000)
if not keep_dead then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep_dead must be an integer in 0..10000')
end
if not sooner or sooner == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT sooner must be the name of a channel')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local stored = redis.call('HMGET', jobs, 'v', 's:' .. id)
local format, state = stored[1], stored[2]
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the jobs are not in format 1')
  end
elseif redis.call('EXISTS', jobs) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the jobs have no format number')
end

-- Where the job stands. Of another type, each key must fail before anything is written.
local claim = string.format('%02d', #receipt) .. receipt .. id
local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local due_at_ms = redis.call('ZSCORE', due, id)
local is_leased = redis.call('ZSCORE', inflight, id)
local is_claimed = redis.call('ZSCORE', claims, claim)
local is_dead = redis.call('ZSCORE', dead, id)
if redis.call('HEXISTS', jobs, 'p:' .. id) == 0 then
  return {'Gone'}
end
local attempt, holder = (state or ''):match('^(%d+):%d+:(.*)$')
attempt = integer(attempt, 1, 9007199254740991)
if not attempt or holder ~= receipt then
  return {'Lost'}
end
if due_at_ms then
  return {'Retried', math.floor(tonumber(due_at_ms))}
end
if is_dead then
  return {'Dead', attempt}
end

if is_leased then
  redis.call('ZREM', inflight, id)
end
if is_claimed then
  redis.call('ZREM', claims, claim)
end
if attempt >= max_attempts then
  redis.call('ZADD', dead, string.format('%.0f', now_ms), id)
  local excess = math.min(redis.call('ZCARD', dead) - keep_dead, MOST_DROPPED)
  if excess > 0 then
    local oldest = redis.call('ZRANGE', dead, 0, excess - 1)
    local dropped = {}
    for index = 1, #oldest do
      dropped[2 * index - 1], dropped[2 * index] = 'p:' .. oldest[index], 's:' .. oldest[index]
    end
    redis.call('HDEL', jobs, unpack(dropped))
    redis.call('ZREM', dead, unpack(oldest))
  end
  if redis.call('HLEN', jobs) == 1 then
    redis.call('UNLINK', jobs) -- the format number alone
  end
  return {'Dead', attempt}
end

local run_at_ms = now_ms + delay_ms
redis.call('ZADD', due, string.format('%.0f', run_at_ms), id)
if #first == 0 or run_at_ms < tonumber(first[2]) then
  redis.call('SPUBLISH', sooner, 'retried')
end
return {'Retried', run_at_ms}
