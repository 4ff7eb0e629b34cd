#!lua flags=allow-oom
--- End the work of a request that failed: give it back, or have the failure repeated.
--
-- Modes: `retry` gives the key back, and the next caller of `begin` gets `Started`; the
-- fingerprint stays bound to the key, whose expiry is left as it is. `final` stores a
-- response that everybody who repeats the request will get as `Failed`, for ttl.
-- response goes with `final`. Everybody who waits on the key's channel is woken.
--
-- `Lost` says that the owner no longer holds the key: somebody took over, the attempt
-- has ended otherwise, or the key is no longer known. The same owner failing again in
-- the same mode gets the same answer, while nobody took over.
--
-- @version 1.0.0
-- @key     request     idempotency:{<key>}:request hash expires
-- @arg     owner       owner
-- @arg     mode        enum(retry, final)
-- @arg     response    bytes 1..4_096 = none
-- @arg     ttl         ms 1..31_622_400_000 = 1d
-- @channel ended       idempotency:{<key>}:ended
-- @returns Released
-- @returns Failed      replayed:bool
-- @returns Lost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   request idempotency-request/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example what may be tried again is given back
--   idempotency.begin key=pay:1 owner=a hold=30000ms ttl=86400000ms fingerprint=f1 -> Started
--   fail key=pay:1 owner=a mode=retry -> Released
--   fail key=pay:1 owner=a mode=retry -> Released
--   idempotency.begin key=pay:1 owner=b hold=30000ms ttl=86400000ms fingerprint=f2 -> Mismatch
--   idempotency.begin key=pay:1 owner=b hold=30000ms ttl=86400000ms fingerprint=f1 -> Started attempt=2
--   fail key=pay:1 owner=a mode=retry -> Lost
-- @example what failed for good is repeated
--   idempotency.begin key=pay:2 owner=a hold=30000ms ttl=86400000ms -> Started
--   fail key=pay:2 owner=a mode=final response=declined ttl=60000ms -> Failed replayed=false
--   fail key=pay:2 owner=a mode=final response=declined ttl=60000ms -> Failed replayed=true
--   idempotency.begin key=pay:2 owner=b hold=30000ms ttl=86400000ms -> Failed response=declined
-- @example a response goes with final alone
--   fail key=pay:3 owner=a mode=retry response=declined -> error BadArgument

local request = KEYS[1]
local owner, mode, response, ttl_ms, ended = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
if mode ~= 'retry' and mode ~= 'final' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be retry or final')
end
if not response or #response > 4096 then
  return redis.error_reply('RLUA_BAD_ARGUMENT response must be at most 4096 bytes')
end
if mode == 'retry' and response ~= '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT response must be empty when mode is retry')
end
ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
if not ended or ended == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT ended must be the name of a channel')
end

local stored = redis.call('HMGET', request, 'v', 's', 'o')
local format, status, holder = stored[1], stored[2], stored[3]
if not format then
  if redis.call('EXISTS', request) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the request has no format number')
  end
  return {'Lost'}
end
if format ~= '1' or not (status and holder) then
  return redis.error_reply('RLUA_BAD_STATE the request is not in format 1')
end

if holder ~= owner then
  return {'Lost'}
end
if status == 'free' and mode == 'retry' then
  return {'Released'}
end
if status == 'failed' and mode == 'final' then
  return {'Failed', 1}
end
if status ~= 'running' then
  return {'Lost'}
end

if mode == 'retry' then
  redis.call('HSET', request, 's', 'free')
  redis.call('SPUBLISH', ended, 'released')
  return {'Released'}
end
redis.call('HSET', request, 's', 'failed', 'r', response)
redis.call('PEXPIRE', request, string.format('%.0f', ttl_ms))
redis.call('SPUBLISH', ended, 'failed')
return {'Failed', 0}
