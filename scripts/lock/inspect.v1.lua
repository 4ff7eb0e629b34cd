#!lua flags=no-writes
--- Tell who holds a lock, without taking it.
--
-- For people and dashboards: by the time the answer is there it may be wrong, and on
-- a replica it may have been wrong before. fence is that of the last acquisition,
-- absent when it is no longer kept. A lock that was released and goes to the next
-- waiter is `Free`.
--
-- @version 1.0.0
-- @key     lock     lock:{<name>}:lock  hash expires
-- @key     fence    lock:{<name>}:fence string expires
-- @returns Held     owner:str fence:str expires_after:ms
-- @returns Free     fence:str?
-- @error   BadState The key holds a state that this version of the family does not understand.
-- @state   lock lock/1
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example held
--   lock.acquire name=orders:1 owner=a hold=10s -> Acquired
--   inspect name=orders:1 -> Held owner=a fence=$1.fence expires_after<=10s
-- @example free
--   inspect name=orders:2 -> Free
--   lock.acquire name=orders:2 owner=a hold=10s -> Acquired
--   lock.release name=orders:2 owner=a -> Released
--   inspect name=orders:2 -> Free fence=$2.fence

local lock, fence = KEYS[1], KEYS[2]

-- The fields are those of `acquire`.
local stored = redis.call('HMGET', lock, 'v', 'o', 'f', 'h')
local format, holder, held_fence, held_ms = stored[1], stored[2], stored[3], tonumber(stored[4])
if not format then
  if redis.call('EXISTS', lock) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the lock has no format number')
  end
elseif format ~= '1' or not (holder and held_fence and held_ms) then
  return redis.error_reply('RLUA_BAD_STATE the lock is not in format 1')
end
local last_fence = redis.call('GET', fence)

if not format or holder == '' then
  return {'Free', last_fence or held_fence}
end
local left_ms = redis.call('PTTL', lock)
if left_ms < 0 or left_ms > held_ms then
  left_ms = held_ms -- what `acquire` would make of it
end
return {'Held', holder, held_fence, left_ms}
