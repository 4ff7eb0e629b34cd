#!lua flags=allow-oom
--- Give a slot back, and wake the one that has waited longest for one.
--
-- `NotHeld` says that the owner no longer had a slot: its hold was over, or this very
-- call had been executed before and its reply was lost. Nothing is changed then.
-- in_use counts the slots that are still held.
--
-- For grace nobody but the one that was woken can take the slot, so that waiters are
-- served in turn; should it have died, the slot is free for all after grace. Where
-- nobody waits the slot is free at once. All callers pass the same grace; with 0
-- whoever asks first takes the slot.
--
-- @version 1.0.0
-- @key     leases      semaphore:{<name>}:leases  zset expires
-- @key     passing     semaphore:{<name>}:passing zset expires
-- @key     wake        semaphore:{<name>}:wake    list expires
-- @arg     owner       owner
-- @arg     grace       ms 0..10_000 = 1_000
-- @returns Released    in_use:int
-- @returns NotHeld
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=11 growth=1
-- @example only a holder gives back, and once
--   semaphore.acquire name=reports owner=a limit=2 hold=10s -> Acquired
--   semaphore.acquire name=reports owner=b limit=2 hold=10s -> Acquired
--   release name=reports owner=c -> NotHeld
--   release name=reports owner=a -> Released in_use=1
--   release name=reports owner=a -> NotHeld
-- @example a call that comes too late does no harm
--   semaphore.acquire name=exports owner=a limit=1 hold=1ms -> Acquired
--   wait 20ms
--   release name=exports owner=a -> NotHeld
--   semaphore.acquire name=exports owner=b limit=1 hold=10s -> Acquired
--   release name=exports owner=a -> NotHeld
--   semaphore.renew name=exports owner=b hold=10s -> Renewed

local leases, passing, wake = KEYS[1], KEYS[2], KEYS[3]
local owner, grace_ms = ARGV[1], ARGV[2]

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

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local later = string.format('(%.0f', now_ms)

-- What lies in the three keys is told in `acquire`.
local expires_at = redis.call('ZSCORE', leases, owner)
local reserved = redis.call('ZCOUNT', passing, later, '+inf')
redis.call('LLEN', wake) -- LPUSH behind a write would find a key of another type too late
if not expires_at or tonumber(expires_at) <= now_ms then
  return {'NotHeld'}
end

redis.call('ZREM', leases, owner)
if grace_ms > 0 then
  local passes_at = string.format('%.0f', now_ms + grace_ms)
  redis.call('ZADD', passing, passes_at, owner)
  redis.call('PEXPIREAT', passing, passes_at)
end
-- More tokens than slots being passed on would be of no use to anybody. They stay for as long
-- as the hold would have lasted: somebody who was told to ask again may not be waiting yet.
redis.call('LPUSH', wake, owner)
redis.call('LTRIM', wake, 0, reserved)
local ends_at_ms = math.min(tonumber(expires_at), now_ms + 86400000)
local stays_until_ms = math.max(ends_at_ms, now_ms + grace_ms)
redis.call('PEXPIREAT', wake, string.format('%.0f', stays_until_ms))
return {'Released', redis.call('ZCOUNT', leases, later, '+inf')}
