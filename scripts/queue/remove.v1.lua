#!lua flags=allow-oom
--- Remove a job from a queue, wherever it is.
--
-- `Removed` tells where it was: due, in_flight (claimed) or dead (given up). Whoever
-- holds it is not told before it ends the job, and then gets `Gone`. The same call
-- again answers `Missing`, unless somebody has scheduled the job since.
--
-- @version 1.0.0
-- @key     due         queue:{<name>}:due zset
-- @key     inflight    queue:{<name>}:inflight zset
-- @key     jobs        queue:{<name>}:jobs hash
-- @key     claims      queue:{<name>}:claims zset
-- @key     dead        queue:{<name>}:dead zset
-- @arg     id          str 1..64
-- @returns Removed     status:enum(due, in_flight, dead)
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=11 growth=1
-- @example before it is due
--   queue.schedule name=mail id=1 payload=hello delay=60000ms -> Scheduled
--   remove name=mail id=1 -> Removed status=due
--   remove name=mail id=1 -> Missing
--   queue.claim name=mail receipt=w1 lease=1000ms -> Empty next_after=none
-- @example while somebody works on it, and after it was given up
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=60000ms -> Claimed
--   remove name=mail id=1 -> Removed status=in_flight
--   queue.ack name=mail id=1 receipt=w1 -> Gone
--   queue.schedule name=mail id=2 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w2 lease=60000ms -> Claimed
--   queue.nack name=mail id=2 receipt=w2 max_attempts=1 -> Dead
--   remove name=mail id=2 -> Removed status=dead
--   queue.list_dead name=mail -> Listed total=0

local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id = ARGV[1]

if not id or #id < 1 or #id > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be 1 to 64 bytes')
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
local is_due = redis.call('ZSCORE', due, id)
local is_leased = redis.call('ZSCORE', inflight, id)
local is_dead = redis.call('ZSCORE', dead, id)
redis.call('ZCARD', claims)
if not (is_due or is_leased or is_dead) then
  return {'Missing'}
end

redis.call('HDEL', jobs, payload_field, state_field)
if redis.call('HLEN', jobs) == 1 then
  redis.call('UNLINK', jobs) -- the format number alone
end
if is_due then
  redis.call('ZREM', due, id)
  return {'Removed', 'due'}
end
if is_dead then
  redis.call('ZREM', dead, id)
  return {'Removed', 'dead'}
end
redis.call('ZREM', inflight, id)
local receipt = state and state:match('^%d+:%d+:(.*)$')
if receipt then
  redis.call('ZREM', claims, string.format('%02d', #receipt) .. receipt .. id)
end
return {'Removed', 'in_flight'}
