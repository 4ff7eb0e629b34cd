#!lua flags=no-writes
--- Count the jobs of a queue, and tell when the next one is due.
--
-- due counts those that wait, ready those of them that can be claimed now, in_flight
-- those that are claimed, dead those that were given up. next_after is how long until
-- the next job is due, 0 when one is ready; absent when none waits. A lease that ran
-- out counts as in_flight until a claim finds it.
--
-- @version 1.0.0
-- @key     due         queue:{<name>}:due zset
-- @key     inflight    queue:{<name>}:inflight zset
-- @key     dead        queue:{<name>}:dead zset
-- @returns Counts      due:int ready:int in_flight:int dead:int next_after:ms?
-- @retry   safe
-- @budget  calls<=6 growth=1
-- @example an empty queue
--   inspect name=mail -> Counts due=0 ready=0 in_flight=0 dead=0 next_after=none
-- @example one of each kind
--   queue.schedule name=mail id=1 payload=x run_at=1000 -> Scheduled
--   queue.claim name=mail receipt=w1 lease=60000ms -> Claimed
--   queue.nack name=mail id=1 receipt=w1 max_attempts=1 -> Dead
--   queue.schedule name=mail id=2 payload=x run_at=1000 -> Scheduled
--   queue.claim name=mail receipt=w2 lease=60000ms -> Claimed
--   queue.schedule name=mail id=3 payload=x delay=60000ms -> Scheduled
--   inspect name=mail -> Counts due=1 ready=0 in_flight=1 dead=1 next_after<=60000ms
--   queue.schedule name=mail id=4 payload=x run_at=1000 -> Scheduled
--   inspect name=mail -> Counts due=2 ready=1 in_flight=1 dead=1 next_after=0ms

local due, inflight, dead = KEYS[1], KEYS[2], KEYS[3]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local next_after_ms = false
if #first > 0 then
  next_after_ms = math.max(tonumber(first[2]) - now_ms, 0)
end
local ready = redis.call('ZCOUNT', due, '-inf', string.format('%.0f', now_ms))
local in_flight, died = redis.call('ZCARD', inflight), redis.call('ZCARD', dead)
return {'Counts', redis.call('ZCARD', due), ready, in_flight, died, next_after_ms}
