#!lua
--- Take a lock for a while, with a number that grows each time it is taken.
--
-- Make a new owner for each acquisition. The owner that holds the lock gets the
-- same answer when it asks again, and its hold starts anew: a lost reply is
-- harmless. A lock whose holder died is free after hold.
--
-- fence is a decimal, greater than that of every earlier acquisition: the server's
-- time in us, or one more than the last. Let what the lock protects keep the
-- greatest fence it has seen and refuse smaller ones, as `cache.conditional_update`
-- does in mode `fence`: no lock alone keeps out a holder that slept past its hold,
-- or that a failover forgot. Fences grow also when their key is lost, and when the
-- server's clock is set back, by up to keep_fence at once.
--
-- To wait, BLPOP the key wake for at most retry_after, then call again with the
-- element as ticket. `release` wakes the one that has waited longest, and until its
-- grace is over nobody takes the lock without that ticket: waiters are served in
-- turn. A ticket that came too late is ignored.
--
-- All three keys expire. An absent lock is free: keep locks on a server that does
-- not evict. A lock that has lost its expiry, or has more left than it was taken
-- for since the clock was set back, is held for one hold more from the next call.
--
-- @version 1.0.0
-- @key     lock        lock:{<name>}:lock  hash expires
-- @key     fence       lock:{<name>}:fence string expires
-- @key     wake        lock:{<name>}:wake  list expires
-- @arg     owner       owner
-- @arg     hold        ms 1..86_400_000
-- @arg     ticket      str 1..16 = none
-- @arg     keep_fence  ms 1..31_622_400_000 = 3_600_000
-- @returns Acquired    fence:str replayed:bool
-- @returns Held        retry_after:ms fence:str
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   lock lock/1
-- @retry   safe
-- @budget  calls<=9 growth=1
-- @example one caller at a time, and the one that holds it may ask again
--   acquire name=orders:1 owner=a hold=10s -> Acquired replayed=false
--   acquire name=orders:1 owner=a hold=10s -> Acquired fence=$1.fence replayed=true
--   acquire name=orders:1 owner=b hold=10s -> Held retry_after<=10s fence=$1.fence
--   lock.release name=orders:1 owner=a -> Released
--   acquire name=orders:1 owner=b hold=10s -> Acquired replayed=false
-- @example a holder that died is replaced
--   acquire name=orders:2 owner=a hold=1ms -> Acquired
--   wait 20ms
--   acquire name=orders:2 owner=b hold=10s -> Acquired replayed=false
--   lock.extend name=orders:2 owner=a hold=10s -> Lost reason=taken

local lock, fence, wake = KEYS[1], KEYS[2], KEYS[3]
local owner, hold_ms, ticket, keep_fence_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local LONGEST_MS = 86400000 -- of a hold
local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
hold_ms = integer(hold_ms, 1, LONGEST_MS)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..86400000 ms')
end
if not ticket or #ticket > 16 then
  return redis.error_reply('RLUA_BAD_ARGUMENT ticket must be at most 16 bytes')
end
keep_fence_ms = integer(keep_fence_ms, 1, 31622400000)
if not keep_fence_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep_fence must be an integer in 1..31622400000 ms')
end

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- The fields are the holder, its fence and its hold. After `release` the holder is empty,
-- the fence is the ticket that lies or lay in the wake list, and the hold is the grace.
local stored = redis.call('HMGET', lock, 'v', 'o', 'f', 'h')
local format, holder, held_fence = stored[1], stored[2], stored[3]
local held_us, held_ms = integer(held_fence, 0, GREATEST), integer(stored[4], 1, LONGEST_MS)
if not format then
  if redis.call('EXISTS', lock) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the lock has no format number')
  end
elseif format ~= '1' or not (holder and held_us and held_ms) then
  return redis.error_reply('RLUA_BAD_STATE the lock is not in format 1')
end
local last_fence = redis.call('GET', fence)
local last_us = integer(last_fence, 0, GREATEST)
if last_fence and not last_us then
  return redis.error_reply('RLUA_BAD_STATE the fence is not an integer below 2^53')
end
local tokens = redis.call('LLEN', wake)

if format and holder == owner then
  redis.call('HSET', lock, 'h', string.format('%.0f', hold_ms))
  redis.call('PEXPIRE', lock, string.format('%.0f', hold_ms))
  return {'Acquired', held_fence, 1}
end

-- While its token lies in the wake list nobody was waiting for a released lock, and anybody
-- may take it. Once the token is gone, only whoever took it.
local is_free = not format or holder == '' and (tokens > 0 or ticket == held_fence)
if not is_free then
  local left_ms = redis.call('PTTL', lock)
  if left_ms < 0 or left_ms > held_ms then
    left_ms = held_ms
    redis.call('PEXPIRE', lock, string.format('%.0f', held_ms))
  end
  return {'Held', math.max(left_ms, 1), held_fence}
end

local fence_us = math.max(now_us, (last_us or 0) + 1, (held_us or 0) + 1)
if fence_us > GREATEST then
  return redis.error_reply('RLUA_BAD_STATE the fence cannot grow: it is the greatest below 2^53')
end
local new_fence = string.format('%.0f', fence_us)
-- Only a clock that was set back can come to this fence again: it is kept from then on.
local fence_expires_ms = math.ceil(fence_us / 1000) + keep_fence_ms
redis.call('SET', fence, new_fence, 'PXAT', string.format('%.0f', fence_expires_ms))
redis.call(
  'HSET', lock, 'v', '1', 'o', owner, 'f', new_fence, 'h', string.format('%.0f', hold_ms)
)
redis.call('PEXPIRE', lock, string.format('%.0f', hold_ms))
if tokens > 0 then
  redis.call('UNLINK', wake)
end
return {'Acquired', new_fence, 0}
