#!lua
--- Take one of a limited number of slots for a while.
--
-- Make a new owner for each acquisition. The owner that has a slot gets the same
-- answer when it asks again, and its hold starts anew: a lost reply is harmless,
-- and nobody ever has two. The slot of a holder that died is free after hold. in_use
-- counts the slots that are held.
--
-- All callers pass the same limit. When it is made smaller nobody loses a slot, and
-- nobody gets one until so many were given back.
--
-- To wait, BLPOP the key wake for at most retry_after (when the first hold ends),
-- then call again with the element as ticket. `release` wakes the one that has waited
-- longest, and until its grace is over nobody takes that slot without the ticket:
-- waiters are served in turn. A ticket that came too late is ignored.
--
-- After the server's clock was set back, slots of holders that died are taken for as
-- much longer, for a day at most: what lies further ahead is moved there, 256 with
-- each refused call.
--
-- All three keys expire with what is in them. An absent semaphore has all slots free:
-- keep semaphores on a server that does not evict.
--
-- @version 1.0.0
-- @key     leases      semaphore:{<name>}:leases  zset expires
-- @key     passing     semaphore:{<name>}:passing zset expires
-- @key     wake        semaphore:{<name>}:wake    list expires
-- @arg     owner       owner
-- @arg     limit       int 1..4_000
-- @arg     hold        ms 1..86_400_000
-- @arg     ticket      str 1..48 = none
-- @returns Acquired    in_use:int replayed:bool
-- @returns Full        in_use:int retry_after:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=16 growth=linear n=limit
-- @example two at a time
--   acquire name=reports owner=a limit=2 hold=10s -> Acquired in_use=1 replayed=false
--   acquire name=reports owner=b limit=2 hold=10s -> Acquired in_use=2 replayed=false
--   acquire name=reports owner=c limit=2 hold=10s -> Full in_use=2 retry_after<=10s
--   acquire name=reports owner=a limit=2 hold=10s -> Acquired in_use=2 replayed=true
--   semaphore.release name=reports owner=b -> Released in_use=1
--   acquire name=reports owner=c limit=2 hold=10s -> Acquired in_use=2 replayed=false
-- @example a waiter that was woken comes first
--   acquire name=mails owner=a limit=1 hold=10s -> Acquired in_use=1
--   semaphore.release name=mails owner=a -> Released in_use=0
--   acquire name=mails owner=b limit=1 hold=10s ticket=stale -> Acquired in_use=1
-- @example the slot of a holder that died
--   acquire name=exports owner=a limit=1 hold=1ms -> Acquired in_use=1
--   wait 20ms
--   acquire name=exports owner=b limit=1 hold=10s -> Acquired in_use=1

local leases, passing, wake = KEYS[1], KEYS[2], KEYS[3]
local owner, limit, hold_ms, ticket = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local LONGEST_MS = 86400000 -- of a hold
local LONGEST_GRACE_MS = 10000 -- as in `release`

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
limit = integer(limit, 1, 4000)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 1..4000')
end
hold_ms = integer(hold_ms, 1, LONGEST_MS)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..86400000 ms')
end
if not ticket or #ticket > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT ticket must be at most 48 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now_text = string.format('%.0f', now_ms)

-- A lease is scored with the time at which its hold ends. A slot that was given back stays
-- taken in `passing`, under the ticket that was pushed to the wake list, until its grace ends.
local tokens = redis.call('LLEN', wake)
local reserved = redis.call('ZCARD', passing)
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now_text)
if reserved > 0 then
  local ahead = string.format('(%.0f', now_ms + LONGEST_GRACE_MS) -- the clock was set back
  reserved = reserved
    - redis.call('ZREMRANGEBYSCORE', passing, '-inf', now_text)
    - redis.call('ZREMRANGEBYSCORE', passing, ahead, '+inf')
end
local in_use = redis.call('ZCARD', leases)
local replayed = in_use > 0 and redis.call('ZSCORE', leases, owner)

if not replayed then
  if reserved > 0 and ticket ~= '' then
    reserved = reserved - redis.call('ZREM', passing, ticket)
  end
  if tokens > 0 and in_use + reserved >= limit then
    -- A token that still lies in the list was for nobody: whoever comes first takes its slot.
    -- The newest comes first, so when its grace is over so is that of all others.
    if redis.call('ZREM', passing, redis.call('LPOP', wake)) == 1 then
      reserved = reserved - 1
    else
      redis.call('UNLINK', wake)
    end
  end
end

if not replayed and in_use + reserved >= limit then
  local furthest_ms = now_ms + LONGEST_MS
  local furthest = string.format('%.0f', furthest_ms)
  local ahead = redis.call('ZRANGE', leases, '(' .. furthest, '+inf', 'BYSCORE', 'LIMIT', 0, 256)
  if #ahead > 0 then
    local moved = {}
    for index = 1, #ahead do
      moved[2 * index - 1], moved[2 * index] = furthest, ahead[index]
    end
    redis.call('ZADD', leases, 'XX', unpack(moved))
  end
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  local first_passing = redis.call('ZRANGE', passing, 0, 0, 'WITHSCORES')
  local free_at_ms = math.min(
    tonumber(first[2]) or furthest_ms, tonumber(first_passing[2]) or furthest_ms, furthest_ms
  )
  return {'Full', in_use, free_at_ms - now_ms}
end

local expires_at_ms = now_ms + hold_ms
redis.call('ZADD', leases, string.format('%.0f', expires_at_ms), owner)
if redis.call('PEXPIRETIME', leases) < expires_at_ms then
  redis.call('PEXPIREAT', leases, string.format('%.0f', expires_at_ms))
end
if replayed then
  return {'Acquired', in_use, 1}
end
return {'Acquired', in_use + 1, 0}
