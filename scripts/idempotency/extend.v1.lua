#!lua flags=allow-oom
--- Prolong the hold on a request whose work takes longer.
--
-- The hold ends hold from now, or later where it already did: it is never cut short,
-- so a late resend does no harm. A hold that ran out is prolonged too, as long as
-- nobody took over. `Lost` says that somebody did, that the attempt has ended, or that
-- the key is no longer known: whoever gets it stops, or does the work a second time.
--
-- @version 1.0.0
-- @key     request     idempotency:{<key>}:request hash expires
-- @arg     owner       owner
-- @arg     hold        ms 1..86_400_000
-- @returns Extended    hold:ms
-- @returns Lost
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   request idempotency-request/1
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example the owner goes on
--   idempotency.begin key=pay:1 owner=a hold=1000ms ttl=2000ms -> Started
--   extend key=pay:1 owner=a hold=30000ms -> Extended hold=30000ms
--   extend key=pay:1 owner=a hold=500ms -> Extended hold>=20000ms
--   idempotency.begin key=pay:1 owner=b hold=1000ms ttl=2000ms -> InProgress retry_after>=20000ms
-- @example nobody else does, and nothing that has ended is prolonged
--   extend key=pay:2 owner=a hold=30000ms -> Lost
--   idempotency.begin key=pay:2 owner=a hold=30000ms ttl=86400000ms -> Started
--   extend key=pay:2 owner=b hold=30000ms -> Lost
--   idempotency.complete key=pay:2 owner=a response=receipt ttl=86400000ms -> Completed
--   extend key=pay:2 owner=a hold=30000ms -> Lost

local request = KEYS[1]
local owner, hold_ms = ARGV[1], ARGV[2]

local LONGEST_HOLD_MS = 86400000

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
hold_ms = integer(hold_ms, 1, LONGEST_HOLD_MS)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..86400000 ms')
end

local stored = redis.call('HMGET', request, 'v', 's', 'o', 'l')
local format, status, holder = stored[1], stored[2], stored[3]
local held_until_ms = integer(stored[4], 0, 9007199254740991)
if not format then
  if redis.call('EXISTS', request) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the request has no format number')
  end
  return {'Lost'}
end
if format ~= '1' or not (status and holder and held_until_ms) then
  return redis.error_reply('RLUA_BAD_STATE the request is not in format 1')
end
if status ~= 'running' or holder ~= owner then
  return {'Lost'}
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local left_ms = held_until_ms - now_ms
if left_ms <= LONGEST_HOLD_MS then -- else the clock was set back, since no hold is so long
  hold_ms = math.max(left_ms, hold_ms)
end
redis.call('HSET', request, 'l', string.format('%.0f', now_ms + hold_ms))
if redis.call('PTTL', request) < hold_ms then
  redis.call('PEXPIRE', request, string.format('%.0f', hold_ms))
end
return {'Extended', hold_ms}
