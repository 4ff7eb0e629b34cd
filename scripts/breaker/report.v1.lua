#!lua
--- Say how a call went, and learn whether the circuit is open now.
--
-- Calls and failures of the last window are counted, in two halves of it. The circuit
-- opens when there were at least least calls, and at least percent of them failed. It
-- stays open for open, and then for the result of one probe, which `allow` gives out: a
-- failed one opens it for twice as long as before, up to most, and one that succeeded
-- closes it and forgets all counts.
--
-- While it is open only the report of the probe counts: `Open` tells the others, whose
-- calls began before, that theirs does not. A report sent again may count twice, which
-- opens the circuit sooner.
--
-- All callers pass the same numbers. An absent key is a closed circuit.
--
-- @version 1.0.0
-- @key     circuit     breaker:{<name>}:circuit hash expires
-- @arg     owner       owner
-- @arg     outcome     enum(success, failure)
-- @arg     window      ms 2..3_600_000 = 10s
-- @arg     least       int 1..1_000_000 = 10
-- @arg     percent     int 1..100 = 50
-- @arg     open        ms 1..3_600_000 = 10s
-- @arg     most        ms 1..86_400_000 = 10m
-- @returns Counted     calls:int failures:int
-- @returns Opened      retry_after:ms
-- @returns Open        retry_after:ms
-- @returns Closed
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   circuit breaker-circuit/1
-- @retry   conservative
-- @budget  calls<=6 growth=1
-- @example half of four calls fail
--   report name=mail owner=a outcome=success least=4 -> Counted calls=1 failures=0
--   report name=mail owner=b outcome=failure least=4 -> Counted calls=2 failures=1
--   report name=mail owner=c outcome=success least=4 -> Counted calls=3 failures=1
--   report name=mail owner=d outcome=failure least=4 open=60s -> Opened retry_after=60s
--   report name=mail owner=e outcome=success least=4 -> Open retry_after<=60s
-- @example a probe that fails opens it for longer
--   report name=sms owner=a outcome=failure least=1 open=2ms -> Opened retry_after=2ms
--   wait 20ms
--   breaker.allow name=sms owner=b -> Probe
--   report name=sms owner=c outcome=success open=2ms -> Open retry_after=0s
--   report name=sms owner=b outcome=failure open=2ms -> Opened retry_after=4ms
--   wait 20ms
--   breaker.allow name=sms owner=d -> Probe
--   report name=sms owner=d outcome=success -> Closed
--   report name=sms owner=e outcome=success -> Counted calls=1 failures=0
-- @example calls are counted for a window
--   report name=web owner=a outcome=failure least=9 window=600ms -> Counted calls=1
--   wait 350ms
--   report name=web owner=b outcome=failure least=9 window=600ms -> Counted calls=2
-- @example most is no less than open
--   report name=mail owner=a outcome=success open=2s most=1s -> error BadArgument

local circuit = KEYS[1]
local owner, outcome, window_ms, least, percent, open_ms, most_ms =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact
local MOST_CALLS = 1000000000000 -- of a window: times 100 they are exact
local KEPT_MS = 86400000 -- for so long after it was open a circuit waits for its probe
local DOUBLINGS = 30 -- whatever open is, so many reach most

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
if outcome ~= 'success' and outcome ~= 'failure' then
  return redis.error_reply('RLUA_BAD_ARGUMENT outcome must be success or failure')
end
window_ms = integer(window_ms, 2, 3600000)
if not window_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT window must be an integer in 2..3600000 ms')
end
least = integer(least, 1, 1000000)
if not least then
  return redis.error_reply('RLUA_BAD_ARGUMENT least must be an integer in 1..1000000')
end
percent = integer(percent, 1, 100)
if not percent then
  return redis.error_reply('RLUA_BAD_ARGUMENT percent must be an integer in 1..100')
end
open_ms = integer(open_ms, 1, 3600000)
if not open_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT open must be an integer in 1..3600000 ms')
end
most_ms = integer(most_ms, 1, 86400000)
if not most_ms or most_ms < open_ms then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT most must be an integer in 1..86400000 ms, and at least open'
  )
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local stored = redis.call('HMGET', circuit, 'v', 'u', 'o', 'n', 'p', 'w', 'c', 'f', 'b', 'g')
if not stored[1] then
  if redis.call('EXISTS', circuit) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the circuit has no format number')
  end
elseif stored[1] ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the circuit is not in format 1')
end

-- Open for the nth time in a row.
local function opened(times)
  local wait_ms = math.min(open_ms * 2 ^ math.min(times - 1, DOUBLINGS), most_ms)
  redis.call(
    'HSET', circuit, 'v', '1', 'u', string.format('%.0f', now_ms + wait_ms),
    'o', string.format('%.0f', now_ms), 'n', string.format('%.0f', times)
  )
  redis.call('HDEL', circuit, 'p', 'a', 'e', 'w', 'c', 'f', 'b', 'g')
  redis.call('PEXPIRE', circuit, string.format('%.0f', wait_ms + KEPT_MS))
  return {'Opened', wait_ms}
end

if stored[2] then
  local until_ms, opened_ms = integer(stored[2], 0, GREATEST), integer(stored[3], 0, GREATEST)
  local times = integer(stored[4], 1, GREATEST - 1)
  if not until_ms or not opened_ms or not times then
    return redis.error_reply('RLUA_BAD_STATE the open circuit is not in format 1')
  end
  if stored[5] ~= owner then
    local left_ms = now_ms >= opened_ms and until_ms - now_ms or 0 -- the clock was set back
    return {'Open', math.max(left_ms, 0)}
  end
  if outcome == 'success' then
    redis.call('UNLINK', circuit)
    return {'Closed'}
  end
  return opened(times + 1)
end

-- c and f are the calls and failures of the half of the window that began at w, b and g
-- those of the half before.
local half_ms = math.ceil(window_ms / 2)
local began_ms, calls, failures, calls_before, failures_before = now_ms, 0, 0, 0, 0
if stored[1] then
  began_ms = integer(stored[6], 0, GREATEST)
  calls, failures = integer(stored[7], 0, MOST_CALLS), integer(stored[8], 0, MOST_CALLS)
  calls_before, failures_before = integer(stored[9], 0, MOST_CALLS), integer(stored[10], 0, MOST_CALLS)
  if not began_ms or not calls or not failures or not calls_before or not failures_before then
    return redis.error_reply('RLUA_BAD_STATE the counts of the circuit are not in format 1')
  end
  local age_ms = now_ms - began_ms
  if age_ms >= 2 * half_ms or age_ms < 0 then
    began_ms, calls, failures, calls_before, failures_before = now_ms, 0, 0, 0, 0
  elseif age_ms >= half_ms then
    began_ms = began_ms + half_ms
    calls, failures, calls_before, failures_before = 0, 0, calls, failures
  end
end
calls = calls + 1
failures = failures + (outcome == 'failure' and 1 or 0)
local all_calls, all_failures = calls + calls_before, failures + failures_before
if all_calls >= least and all_failures * 100 >= percent * all_calls then
  return opened(1)
end
redis.call(
  'HSET', circuit, 'v', '1', 'w', string.format('%.0f', began_ms),
  'c', string.format('%.0f', calls), 'f', string.format('%.0f', failures),
  'b', string.format('%.0f', calls_before), 'g', string.format('%.0f', failures_before)
)
redis.call('PEXPIRE', circuit, string.format('%.0f', 2 * half_ms))
return {'Counted', all_calls, all_failures}
