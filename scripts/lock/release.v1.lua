#!lua flags=allow-oom
--- Give a lock back, and wake the one that has waited longest for it.
--
-- Only the owner that holds the lock can give it back. `AlreadyFree` and `NotOwner`
-- say that the owner no longer held it: its hold was over, or this very call had
-- been executed before and its reply was lost. Nothing is changed then.
--
-- For grace nobody but the one that was woken can take the lock, so that waiters
-- are served in turn; should it have died, the lock is free for all after grace.
-- Where nobody waits the lock is free at once. All callers pass the same grace; with
-- 0 whoever asks first takes the lock.
--
-- The wake list never holds more than this one element. It stays there until the
-- lock is taken, or until everybody who asked for it in vain has asked again.
--
-- @version 1.0.0
-- @key     lock        lock:{<name>}:lock hash expires
-- @key     wake        lock:{<name>}:wake list expires
-- @arg     owner       owner
-- @arg     grace       ms 0..10_000 = 1_000
-- @returns Released
-- @returns NotOwner
-- @returns AlreadyFree
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   lock lock/1
-- @retry   safe
-- @budget  calls<=8 growth=1
-- @example only the holder releases, and once
--   lock.acquire name=orders:1 owner=a hold=10s -> Acquired
--   release name=orders:1 owner=b -> NotOwner
--   release name=orders:1 owner=a -> Released
--   release name=orders:1 owner=a -> AlreadyFree
-- @example a call that comes too late does no harm
--   lock.acquire name=orders:2 owner=a hold=1ms -> Acquired
--   wait 20ms
--   release name=orders:2 owner=a -> AlreadyFree
--   lock.acquire name=orders:2 owner=b hold=10s -> Acquired
--   release name=orders:2 owner=a -> NotOwner
--   lock.inspect name=orders:2 -> Held owner=b
-- @example without a grace, and when nobody waited
--   lock.acquire name=orders:3 owner=a hold=10s -> Acquired
--   release name=orders:3 owner=a grace=0ms -> Released
--   lock.acquire name=orders:3 owner=b hold=10s -> Acquired
--   release name=orders:3 owner=b -> Released

local lock, wake = KEYS[1], KEYS[2]
local owner, grace_ms = ARGV[1], ARGV[2]

local LONGEST_MS = 86400000 -- of a hold

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
grace_ms = integer(grace_ms, 0, 10000)
if not grace_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT grace must be an integer in 0..10000 ms')
end

-- The fields are those of `acquire`.
local stored = redis.call('HMGET', lock, 'v', 'o', 'f', 'h')
local format, holder, held_fence = stored[1], stored[2], stored[3]
local held_ms = integer(stored[4], 1, LONGEST_MS)
if not format then
  if redis.call('EXISTS', lock) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the lock has no format number')
  end
elseif format ~= '1' or not (holder and held_fence and held_ms) then
  return redis.error_reply('RLUA_BAD_STATE the lock is not in format 1')
end
local tokens = redis.call('LLEN', wake)

if not format or holder == '' then
  return {'AlreadyFree'}
end
if holder ~= owner then
  return {'NotOwner'}
end

-- Whoever was told to ask again does so before the hold is over. Until then somebody may
-- come to the wake list who was not there yet.
local left_ms = redis.call('PTTL', lock)
if left_ms < 0 or left_ms > held_ms then
  left_ms = held_ms
end
if grace_ms == 0 then
  redis.call('UNLINK', lock)
else
  redis.call('HSET', lock, 'o', '', 'h', string.format('%.0f', grace_ms))
  redis.call('PEXPIRE', lock, string.format('%.0f', grace_ms))
end
if tokens > 0 then
  redis.call('UNLINK', wake)
end
redis.call('LPUSH', wake, held_fence)
redis.call('PEXPIRE', wake, string.format('%.0f', math.max(left_ms, grace_ms, 1)))
return {'Released'}
