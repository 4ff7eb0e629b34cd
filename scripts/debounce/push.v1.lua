#!lua
--- Note an event, to be acted upon once no other has come for a while.
--
-- Of a burst of events one thing is left to do: once there was no other for quiet, or
-- max_wait after the first, whichever is sooner, `take` gives out the value of the last
-- one and how many there were. fire_in says when that will be if no other comes. The event
-- that gets count 1 began the burst: whoever pushed it calls `take` after fire_in, and
-- again after each `NotYet`, or has a worker do so.
--
-- Make a new token for each event. The last event, sent again, gets the same answer and
-- is not counted twice; one that others have overtaken is counted again, and its value is
-- then the last.
--
-- What nobody takes is gone keep after it was due. An absent key is a burst that is over:
-- keep it on a server that does not evict. When the server's clock was set back, no time
-- has passed since the last event.
--
-- @version 1.0.0
-- @key     pending     debounce:{<key>}:pending hash expires
-- @arg     quiet       ms 1..86_400_000
-- @arg     max_wait    ms 1..86_400_000
-- @arg     value       bytes 0..4_096 = ""
-- @arg     keep        ms 1..31_622_400_000 = 1d
-- @arg     token       token
-- @returns Pending     count:int fire_in:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   pending debounce-pending/1
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example the last of three, once it is quiet
--   push key=doc:1 quiet=1ms max_wait=60s value=a token=t1 -> Pending count=1 fire_in=1ms
--   push key=doc:1 quiet=1ms max_wait=60s value=b token=t2 -> Pending count=2
--   push key=doc:1 quiet=1ms max_wait=60s value=b token=t2 -> Pending count=2
--   wait 20ms
--   debounce.take key=doc:1 token=w1 -> Fired count=2 value=b
--   debounce.take key=doc:1 token=w2 -> Nothing
-- @example no longer than max_wait
--   push key=doc:2 quiet=60s max_wait=60s token=t1 -> Pending count=1 fire_in=60s
--   push key=doc:2 quiet=1s max_wait=1s token=t2 -> Pending count=2 fire_in<=1s
--   debounce.take key=doc:2 -> NotYet retry_after<=1s
--   push key=doc:2 quiet=2s max_wait=1s -> error BadArgument

local pending = KEYS[1]
local quiet_ms, max_wait_ms, value, keep_ms, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

quiet_ms = integer(quiet_ms, 1, 86400000)
if not quiet_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT quiet must be an integer in 1..86400000 ms')
end
max_wait_ms = integer(max_wait_ms, 1, 86400000)
if not max_wait_ms or max_wait_ms < quiet_ms then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT max_wait must be an integer in 1..86400000 ms, and at least quiet'
  )
end
if not value or #value > 4096 then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 4096 bytes')
end
keep_ms = integer(keep_ms, 1, 31622400000)
if not keep_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep must be an integer in 1..31622400000 ms')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- f and l are when the first and the last event came, q is when it is to be acted upon.
local stored = redis.call('HMGET', pending, 'v', 'f', 'l', 'q', 'c', 'o')
local first_ms, count = now_ms, 0
if stored[1] then
  first_ms = integer(stored[2], 0, GREATEST)
  count = integer(stored[5], 1, GREATEST - 1)
  local last_ms, fire_ms = integer(stored[3], 0, GREATEST), integer(stored[4], 0, GREATEST)
  if stored[1] ~= '1' or not first_ms or not last_ms or not fire_ms or not count then
    return redis.error_reply('RLUA_BAD_STATE the events are not in format 1')
  end
  local back_ms = math.max(last_ms - now_ms, 0)
  if stored[6] == token then
    return {'Pending', count, math.max(fire_ms - back_ms - now_ms, 0)}
  end
  first_ms = first_ms - back_ms
elseif redis.call('EXISTS', pending) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the events have no format number')
end

local fire_ms = math.max(math.min(now_ms + quiet_ms, first_ms + max_wait_ms), now_ms)
count = count + 1
redis.call(
  'HSET', pending, 'v', '1', 'f', string.format('%.0f', math.max(first_ms, 0)),
  'l', string.format('%.0f', now_ms), 'q', string.format('%.0f', fire_ms),
  'c', string.format('%.0f', count), 'd', value, 'o', token
)
redis.call('PEXPIREAT', pending, string.format('%.0f', fire_ms + keep_ms))
return {'Pending', count, fire_ms - now_ms}
