#!lua
--- Begin the work of a request under its idempotency key, or get what it ended with before.
--
-- One caller gets `Started` and does the work; it ends it with `complete` or `fail`.
-- Whoever asks meanwhile gets `InProgress`, and afterwards the stored response as
-- `Completed` or `Failed`. retry_after is an upper bound, since both publish to the
-- key's channel.
--
-- fingerprint stands for what was asked, a hash of the request for instance. The first
-- call binds it to the key, for as long as the key is known: with another one the
-- answer is `Mismatch`, whatever became of the first. Left out, it is compared as
-- the empty one.
--
-- A caller that died holds the key until hold is over; then the next one gets
-- `Started`, with attempt one higher, and the first can no longer complete. Work that
-- takes longer is prolonged by `extend`. Make a new owner for each attempt: the same
-- owner asking again while it holds gets `Started` with replayed, and its hold
-- starts anew. A hold only ever grows: a late resend does not cut it short.
--
-- ttl is how long the key is known if the work never ends; it is at least hold.
-- An absent key is a request that was never made: keep it on a server that does not
-- evict. When the server's clock was set back, nobody is held up for longer than the
-- longest hold, a day.
--
-- @version 1.0.0
-- @key     request     idempotency:{<key>}:request hash expires
-- @arg     owner       owner
-- @arg     hold        ms 1..86_400_000
-- @arg     ttl         ms 1..31_622_400_000
-- @arg     fingerprint str 1..64 = none
-- @returns Started     attempt:int replayed:bool
-- @returns InProgress  retry_after:ms
-- @returns Completed   response:bytes
-- @returns Failed      response:bytes
-- @returns Mismatch
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   request idempotency-request/1
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example the second request gets the response of the first
--   begin key=pay:1 owner=a hold=30000ms ttl=86400000ms fingerprint=f1 -> Started attempt=1 replayed=false
--   begin key=pay:1 owner=a hold=30000ms ttl=86400000ms fingerprint=f1 -> Started attempt=1 replayed=true
--   begin key=pay:1 owner=b hold=30000ms ttl=86400000ms fingerprint=f1 -> InProgress retry_after<=30000ms
--   idempotency.complete key=pay:1 owner=a response=receipt ttl=86400000ms -> Completed replayed=false
--   begin key=pay:1 owner=b hold=30000ms ttl=86400000ms fingerprint=f1 -> Completed response=receipt
-- @example a key is good for one request
--   begin key=pay:2 owner=a hold=30000ms ttl=86400000ms fingerprint=f1 -> Started
--   begin key=pay:2 owner=b hold=30000ms ttl=86400000ms fingerprint=f2 -> Mismatch
--   begin key=pay:2 owner=b hold=30000ms ttl=86400000ms -> Mismatch
-- @example the work of a caller that died is taken over
--   begin key=pay:3 owner=a hold=20ms ttl=86400000ms -> Started attempt=1
--   wait 50ms
--   begin key=pay:3 owner=b hold=30000ms ttl=86400000ms -> Started attempt=2 replayed=false
--   idempotency.complete key=pay:3 owner=a response=late ttl=86400000ms -> Lost
-- @example a failure for good is repeated, any other is not
--   begin key=pay:4 owner=a hold=30000ms ttl=86400000ms -> Started
--   idempotency.fail key=pay:4 owner=a mode=retry -> Released
--   begin key=pay:4 owner=b hold=30000ms ttl=86400000ms -> Started attempt=2
--   idempotency.fail key=pay:4 owner=b mode=final response=declined -> Failed
--   begin key=pay:4 owner=c hold=30000ms ttl=86400000ms -> Failed response=declined
-- @example bounds between arguments
--   begin key=pay:5 owner=a hold=2000ms ttl=1000ms -> error BadArgument

local request = KEYS[1]
local owner, hold_ms, ttl_ms, fingerprint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local LONGEST_HOLD_MS = 86400000

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
hold_ms = integer(hold_ms, 1, math.min(ttl_ms, LONGEST_HOLD_MS))
if not hold_ms then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT hold must be an integer of ms from 1 to ttl, at most 86400000'
  )
end
if not fingerprint or #fingerprint > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT fingerprint must be at most 64 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- s is running, free (given back), done or failed; p the fingerprint, o the owner of the
-- last attempt, n its number, l when its hold ends, r the response.
local stored = redis.call('HMGET', request, 'v', 's', 'p', 'o', 'n', 'l')
local format, status, bound, holder = stored[1], stored[2], stored[3], stored[4]
local attempt = integer(stored[5], 1, 9007199254740990) -- one more is still exact
local held_until_ms = integer(stored[6], 0, 9007199254740991)
if not format then
  if redis.call('EXISTS', request) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the request has no format number')
  end
  redis.call(
    'HSET', request, 'v', '1', 's', 'running', 'p', fingerprint, 'o', owner, 'n', '1',
    'l', string.format('%.0f', now_ms + hold_ms)
  )
  redis.call('PEXPIRE', request, string.format('%.0f', ttl_ms))
  return {'Started', 1, 0}
end
if format ~= '1' or not (status and bound and holder and attempt and held_until_ms) then
  return redis.error_reply('RLUA_BAD_STATE the request is not in format 1')
end

if bound ~= fingerprint then
  return {'Mismatch'}
end
if status == 'done' or status == 'failed' then
  local response = redis.call('HGET', request, 'r')
  if not response then
    return redis.error_reply('RLUA_BAD_STATE the request has ended without a response')
  end
  return {status == 'done' and 'Completed' or 'Failed', response}
end
if status ~= 'running' and status ~= 'free' then
  return redis.error_reply('RLUA_BAD_STATE the request is in no known status')
end

local left_ms = held_until_ms - now_ms
if left_ms > LONGEST_HOLD_MS then
  left_ms = 0 -- no hold was granted so long: the clock was set back
end
local is_own = status == 'running' and holder == owner
if status == 'running' and not is_own and left_ms > 0 then
  return {'InProgress', left_ms}
end

if is_own then
  local until_ms = now_ms + math.max(left_ms, hold_ms)
  redis.call('HSET', request, 'l', string.format('%.0f', until_ms))
else
  attempt = attempt + 1
  redis.call(
    'HSET', request, 's', 'running', 'o', owner, 'n', string.format('%.0f', attempt),
    'l', string.format('%.0f', now_ms + hold_ms)
  )
end
if redis.call('PTTL', request) < ttl_ms then
  redis.call('PEXPIRE', request, string.format('%.0f', ttl_ms))
end
return {'Started', attempt, is_own and 1 or 0}
