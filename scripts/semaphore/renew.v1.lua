#!lua
--- Keep a slot for longer.
--
-- The hold starts anew, and may be shorter than what was left of the last; sent
-- again, the call does the same again. `Lost` says that the owner no longer has a
-- slot: its hold was over, or it had given the slot back. A lost slot is never taken
-- again by this call.
--
-- @version 1.0.0
-- @key     leases      semaphore:{<name>}:leases zset expires
-- @arg     owner       owner
-- @arg     hold        ms 1..86_400_000
-- @returns Renewed     expires_after:ms
-- @returns Lost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example a holder keeps its slot
--   semaphore.acquire name=reports owner=a limit=1 hold=1s -> Acquired
--   renew name=reports owner=a hold=60s -> Renewed expires_after=60s
--   semaphore.acquire name=reports owner=b limit=1 hold=1s -> Full retry_after>=59s
-- @example nobody else gets one
--   renew name=exports owner=a hold=10s -> Lost
--   semaphore.acquire name=exports owner=a limit=1 hold=1ms -> Acquired
--   wait 20ms
--   renew name=exports owner=a hold=10s -> Lost

local leases = KEYS[1]
local owner, hold_ms = ARGV[1], ARGV[2]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
hold_ms = integer(hold_ms, 1, 86400000)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..86400000 ms')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local expires_at = redis.call('ZSCORE', leases, owner)
if not expires_at or tonumber(expires_at) <= now_ms then
  return {'Lost'}
end

local expires_at_ms = now_ms + hold_ms
redis.call('ZADD', leases, string.format('%.0f', expires_at_ms), owner)
if redis.call('PEXPIRETIME', leases) < expires_at_ms then
  redis.call('PEXPIREAT', leases, string.format('%.0f', expires_at_ms))
end
return {'Renewed', hold_ms}
