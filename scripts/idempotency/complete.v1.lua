#!lua
--- End the work of a request with the response that everybody who repeats it will get.
--
-- Only the owner of the last attempt of `begin` may complete, also when its hold ran
-- out but nobody took over. `Lost` says that somebody took over, that the attempt has
-- ended as a failure, or that the key is no longer known: the work may be done
-- twice, and the response is not stored. ttl is how long the response is repeated.
-- Everybody who waits on the key's channel is woken.
--
-- The same owner completing again gets `Completed` with replayed, and the response
-- that was stored first stands, even if the second one differs.
--
-- @version 1.0.0
-- @key     request     idempotency:{<key>}:request hash expires
-- @arg     owner       owner
-- @arg     response    bytes 0..262_144
-- @arg     ttl         ms 1..31_622_400_000
-- @channel ended       idempotency:{<key>}:ended
-- @returns Completed   replayed:bool
-- @returns Lost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   request idempotency-request/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example the owner completes, and may repeat itself
--   idempotency.begin key=pay:1 owner=a hold=30000ms ttl=86400000ms -> Started
--   complete key=pay:1 owner=a response=receipt ttl=86400000ms -> Completed replayed=false
--   complete key=pay:1 owner=a response=receipt ttl=86400000ms -> Completed replayed=true
--   idempotency.begin key=pay:1 owner=b hold=30000ms ttl=86400000ms -> Completed response=receipt
-- @example nobody else does
--   complete key=pay:2 owner=a response=receipt ttl=86400000ms -> Lost
--   idempotency.begin key=pay:2 owner=a hold=30000ms ttl=86400000ms -> Started
--   complete key=pay:2 owner=b response=forged ttl=86400000ms -> Lost
--   idempotency.fail key=pay:2 owner=a mode=retry -> Released
--   complete key=pay:2 owner=a response=receipt ttl=86400000ms -> Lost

local request = KEYS[1]
local owner, response, ttl_ms, ended = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
if not response or #response > 262144 then
  return redis.error_reply('RLUA_BAD_ARGUMENT response must be at most 262144 bytes')
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
if status == 'done' then
  return {'Completed', 1}
end
if status ~= 'running' then
  return {'Lost'}
end

redis.call('HSET', request, 's', 'done', 'r', response)
redis.call('PEXPIRE', request, string.format('%.0f', ttl_ms))
redis.call('SPUBLISH', ended, 'completed')
return {'Completed', 0}
