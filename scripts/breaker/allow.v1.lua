#!lua
--- Ask whether a call may be made to something that may be failing.
--
-- `Closed`: make it, and `report` how it went. `Open`: do not; it has failed too often,
-- and retry_after tells when to ask again. `Probe`: the time for which it was open is
-- over, and this caller alone is to try: what it reports closes the circuit or opens it
-- again. A probe that reports nothing within hold is given to the next who asks.
--
-- Make a new owner for each call, and give it to `report`. The owner that has the probe
-- gets the same answer when it asks again.
--
-- An absent key is a closed circuit. When the server's clock was set back, an open circuit
-- is probed at once: nobody is kept out for longer than it was opened for.
--
-- @version 1.0.0
-- @key     circuit     breaker:{<name>}:circuit hash expires
-- @arg     owner       owner
-- @arg     hold        ms 1..3_600_000 = 10s
-- @returns Closed
-- @returns Open        retry_after:ms
-- @returns Probe
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   circuit breaker-circuit/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example two failures of two open it
--   allow name=mail owner=a -> Closed
--   breaker.report name=mail owner=a outcome=failure least=2 open=60s -> Counted failures=1
--   breaker.report name=mail owner=b outcome=failure least=2 open=60s -> Opened retry_after=60s
--   allow name=mail owner=c -> Open retry_after<=60s
-- @example one probe at a time
--   breaker.report name=sms owner=a outcome=failure least=1 open=1ms -> Opened
--   wait 20ms
--   allow name=sms owner=b -> Probe
--   allow name=sms owner=b -> Probe
--   allow name=sms owner=c -> Open retry_after<=10s
--   breaker.report name=sms owner=b outcome=success -> Closed
--   allow name=sms owner=c -> Closed

local circuit = KEYS[1]
local owner, hold_ms = ARGV[1], ARGV[2]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
hold_ms = integer(hold_ms, 1, 3600000)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..3600000 ms')
end

-- Of an open circuit o is when it opened, u until when it is open, p who probes it since a
-- and until e.
local stored = redis.call('HMGET', circuit, 'v', 'u', 'o', 'p', 'a', 'e')
if not stored[1] then
  if redis.call('EXISTS', circuit) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the circuit has no format number')
  end
  return {'Closed'}
end
if stored[1] ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the circuit is not in format 1')
end
if not stored[2] then
  return {'Closed'}
end
local until_ms, opened_ms = integer(stored[2], 0, GREATEST), integer(stored[3], 0, GREATEST)
local asked_ms, ends_ms = integer(stored[5], 0, GREATEST), integer(stored[6], 0, GREATEST)
if not until_ms or not opened_ms or (stored[4] and (not asked_ms or not ends_ms)) then
  return redis.error_reply('RLUA_BAD_STATE the open circuit is not in format 1')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- More than the whole span is left only where the clock was set back: it is over.
local function left_of(ends, began)
  return ends - now_ms <= ends - began and ends - now_ms or 0
end
local left_ms = left_of(until_ms, opened_ms)
if left_ms <= 0 and stored[4] and stored[4] ~= owner then
  left_ms = left_of(ends_ms, asked_ms)
end
if left_ms > 0 then
  return {'Open', left_ms}
end
redis.call(
  'HSET', circuit, 'p', owner, 'a', string.format('%.0f', now_ms),
  'e', string.format('%.0f', now_ms + hold_ms)
)
return {'Probe'}
