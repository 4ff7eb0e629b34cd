#!lua flags=allow-oom
--- End a job that was claimed: it is done.
--
-- The receipt is that of the claim. A job whose lease is over is ended all the same, and
-- one that was given back or is dead, as long as nobody else has claimed it since: its
-- work is done.
-- `Lost` says that somebody else claimed it, or that `schedule` replaced it: the work
-- is or will be done again. `Gone` says that there is no such job, as after the same
-- call before.
--
-- @version 1.0.0
-- @key     due         queue:{<name>}:due zset
-- @key     inflight    queue:{<name>}:inflight zset
-- @key     jobs        queue:{<name>}:jobs hash
-- @key     claims      queue:{<name>}:claims zset
-- @key     dead        queue:{<name>}:dead zset
-- @arg     id          str 1..64
-- @arg     receipt     owner
-- @returns Acked
-- @returns Lost
-- @returns Gone
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=11 growth=1
-- @example a job is ended once
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=30000ms -> Claimed rows=[(1, 1, hello)]
--   ack name=mail id=1 receipt=w1 -> Acked
--   ack name=mail id=1 receipt=w1 -> Gone
--   queue.inspect name=mail -> Counts due=0 in_flight=0 dead=0
-- @example by whoever claimed it last
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   ack name=mail id=1 receipt=w1 -> Lost
--   queue.claim name=mail receipt=w1 lease=20ms -> Claimed
--   wait 50ms
--   queue.claim name=mail receipt=w2 lease=30000ms -> Claimed rows=[(1, 2, hello)]
--   ack name=mail id=1 receipt=w1 -> Lost
--   ack name=mail id=1 receipt=w2 -> Acked
-- @example late, when nobody else has claimed it
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=20ms -> Claimed
--   wait 50ms
--   ack name=mail id=1 receipt=w1 -> Acked
-- @example late, when it was given up or put back
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=20ms max_attempts=1 -> Claimed
--   wait 50ms
--   queue.claim name=mail receipt=w2 lease=20ms max_attempts=1 -> Empty died=1
--   ack name=mail id=1 receipt=w1 -> Acked
--   queue.schedule name=mail id=2 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w3 lease=20s -> Claimed
--   queue.nack name=mail id=2 receipt=w3 -> Retried
--   ack name=mail id=2 receipt=w3 -> Acked

local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, receipt = ARGV[1], ARGV[2]

if not id or #id < 1 or #id > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 64 bytes')
end
if not receipt or #receipt < 1 or #receipt > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT receipt must be 1 to 48 bytes')
end

local payload_field, state_field = 'p:' .. id, 's:' .. id
local stored = redis.call('HMGET', jobs, 'v', state_field)
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
local is_due = redis.call('ZSCORE', due, id)
local is_leased = redis.call('ZSCORE', inflight, id)
local is_claimed = redis.call('ZSCORE', claims, claim)
local is_dead = redis.call('ZSCORE', dead, id)
if redis.call('HEXISTS', jobs, payload_field) == 0 then
  return {'Gone'}
end
if not state or state:match('^%d+:%d+:(.*)$') ~= receipt then
  return {'Lost'}
end

if is_due then
  redis.call('ZREM', due, id)
end
if is_leased then
  redis.call('ZREM', inflight, id)
end
if is_claimed then
  redis.call('ZREM', claims, claim)
end
if is_dead then
  redis.call('ZREM', dead, id)
end
redis.call('HDEL', jobs, payload_field, state_field)
if redis.call('HLEN', jobs) == 1 then
  redis.call('UNLINK', jobs) -- the format number alone
end
return {'Acked'}
