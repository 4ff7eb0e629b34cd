#!lua
--- Put a job into a queue, to be claimed once it is due.
--
-- It is due after delay, or at run_at: milliseconds since 1970 by the server's clock;
-- at most one of them is given. Jobs are claimed in the order in which they are due,
-- and in the order of their ids when they are due in the same millisecond.
--
-- id names the job in its queue. Modes: `if_absent` leaves a job that has this id
-- as it is and answers `Exists` with where it is: due, in_flight (claimed) or dead
-- (given up). `replace` puts the new one in its place, with no attempt counted: who
-- holds the old one has lost it, and its `ack` does not end the new one.
--
-- Make a new token for each job. The same call again is `Replayed` and changes
-- nothing as long as the job is there. A resend that comes after the job was done
-- schedules it again: a job runs at least once, so it must bear running twice.
--
-- When the job is due before all others, everybody who waits on the queue's channel
-- is woken.
--
-- One name is one queue, in one slot: spread a queue that is too busy for one
-- server over several names. Nothing of a queue expires: what is in it stays until it
-- is acknowledged, removed, or dropped as one of too many dead jobs. An absent queue
-- is an empty one: keep it on a server that does not evict, and persists.
--
-- @version 1.0.0
-- @key     due         queue:{<name>}:due zset
-- @key     inflight    queue:{<name>}:inflight zset
-- @key     jobs        queue:{<name>}:jobs hash
-- @key     claims      queue:{<name>}:claims zset
-- @key     dead        queue:{<name>}:dead zset
-- @arg     id          str 1..64
-- @arg     payload     bytes 0..65_536
-- @arg     delay       ms 0..31_622_400_000 = 0
-- @arg     run_at      int 0..9_007_199_254_740_991 = none
-- @arg     mode        enum(if_absent, replace) = if_absent
-- @arg     token       token
-- @channel sooner      queue:{<name>}:sooner
-- @returns Scheduled   run_at:int
-- @returns Rescheduled run_at:int
-- @returns Exists      status:enum(due, in_flight, dead) run_at:int?
-- @returns Replayed
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=14 growth=1
-- @example a job is claimed once it is due, and is gone when it is done
--   schedule name=mail id=1 payload=hello -> Scheduled
--   schedule name=mail id=2 payload=later delay=60000ms -> Scheduled
--   queue.claim name=mail receipt=w1 lease=30000ms count=10 -> Claimed died=0 rows=[(1, 1, hello)]
--   queue.ack name=mail id=1 receipt=w1 -> Acked
--   queue.claim name=mail receipt=w2 lease=30000ms -> Empty next_after<=60000ms
-- @example the first one stays, or the last one counts
--   schedule name=mail id=1 payload=a delay=60000ms -> Scheduled
--   schedule name=mail id=1 payload=b delay=90000ms -> Exists status=due run_at=$1.run_at
--   schedule name=mail id=1 payload=b mode=replace -> Rescheduled
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed rows=[(1, 1, b)]
--   schedule name=mail id=1 payload=c -> Exists status=in_flight
--   schedule name=mail id=1 payload=c mode=replace -> Rescheduled
--   queue.ack name=mail id=1 receipt=w1 -> Lost
--   queue.claim name=mail receipt=w2 lease=30000ms -> Claimed rows=[(1, 1, c)]
-- @example the same call again changes nothing
--   schedule name=mail id=1 payload=a token=t1 -> Scheduled
--   schedule name=mail id=1 payload=a token=t1 -> Replayed
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed rows=[(1, 1, a)]
--   schedule name=mail id=1 payload=a token=t1 mode=replace -> Replayed
--   queue.ack name=mail id=1 receipt=w1 -> Acked
-- @example a time of the server's clock
--   schedule name=mail id=1 payload=past run_at=1000 -> Scheduled run_at=1000
--   schedule name=mail id=2 payload=far run_at=4102444800000 -> Scheduled run_at=4102444800000
--   queue.claim name=mail receipt=w1 lease=30000ms count=10 -> Claimed rows=[(1, 1, past)]
--   schedule name=mail id=3 payload=x run_at=1000 delay=1ms -> error BadArgument
-- @example a job that was given up gets another chance
--   schedule name=mail id=1 payload=a -> Scheduled
--   queue.claim name=mail receipt=w1 lease=20ms max_attempts=1 -> Claimed
--   wait 50ms
--   queue.claim name=mail receipt=w2 lease=20ms max_attempts=1 -> Empty died=1
--   schedule name=mail id=1 payload=b -> Exists status=dead
--   schedule name=mail id=1 payload=b mode=replace -> Rescheduled
--   queue.claim name=mail receipt=w3 lease=30000ms -> Claimed rows=[(1, 1, b)]

local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, payload, delay_ms, run_at, mode, token, sooner =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not id or #id < 1 or #id > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 64 bytes')
end
if not payload or #payload > 65536 then
  return redis.error_reply('RLUA_BAD_ARGUMENT payload must be at most 65536 bytes')
end
delay_ms = integer(delay_ms, 0, 31622400000)
if not delay_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT delay must be an integer in 0..31622400000 ms')
end
local run_at_ms = integer(run_at, 0, 9007199254740991)
if not run_at_ms and run_at ~= '' then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT run_at must be an integer in 0..9007199254740991 ms, or empty'
  )
end
if run_at_ms and delay_ms > 0 then
  return redis.error_reply('RLUA_BAD_ARGUMENT delay must be 0 when run_at is given')
end
if mode ~= 'if_absent' and mode ~= 'replace' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be if_absent or replace')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end
if not sooner or sooner == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT sooner must be the name of a channel')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
run_at_ms = run_at_ms or now_ms + delay_ms

-- Of each job, `p:<id>` is a byte with the length of its token, the token and the payload.
-- Once it was claimed, `s:<id>` is `<attempt>:<place in the claim>:<receipt>`.
local payload_field, state_field = 'p:' .. id, 's:' .. id
local stored = redis.call('HMGET', jobs, 'v', payload_field, state_field)
local format, existing, state = stored[1], stored[2], stored[3]
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the jobs are not in format 1')
  end
elseif redis.call('EXISTS', jobs) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the jobs have no format number')
end

local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local due_at_ms = redis.call('ZSCORE', due, id)
local leased_until_ms = redis.call('ZSCORE', inflight, id)
local died_at_ms = redis.call('ZSCORE', dead, id)
redis.call('ZCARD', claims) -- of another type, it must fail before anything is written

-- What has a payload and stands nowhere lost its place to an eviction: it is as absent.
local is_there = existing and (due_at_ms or leased_until_ms or died_at_ms)
if is_there then
  if existing:sub(2, 1 + (existing:byte(1) or 0)) == token then
    return {'Replayed'}
  end
  if mode == 'if_absent' then
    if due_at_ms then
      return {'Exists', 'due', math.floor(tonumber(due_at_ms))}
    end
    return {'Exists', leased_until_ms and 'in_flight' or 'dead', false}
  end
end

if leased_until_ms then
  local receipt = state and state:match('^%d+:%d+:(.+)$')
  redis.call('ZREM', inflight, id)
  if receipt then
    redis.call('ZREM', claims, string.format('%02d', #receipt) .. receipt .. id)
  end
end
if died_at_ms then
  redis.call('ZREM', dead, id)
end
if state then
  redis.call('HDEL', jobs, state_field)
end
redis.call('HSET', jobs, 'v', '1', payload_field, string.char(#token) .. token .. payload)
redis.call('ZADD', due, string.format('%.0f', run_at_ms), id)
if #first == 0 or run_at_ms < tonumber(first[2]) then
  redis.call('SPUBLISH', sooner, 'scheduled')
end
return {is_there and 'Rescheduled' or 'Scheduled', run_at_ms}
