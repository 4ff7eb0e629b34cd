#!lua flags=allow-oom
--- Take a burst of events that is due: one caller gets it, and it is over.
--
-- `Fired` gives the value of its last event and how many there were; the next event
-- begins a new burst. `NotYet` tells when to ask again: another event may come until then
-- and put it off. `Nothing` means that there is none, or that somebody else has it.
--
-- Make a new token for each attempt. The call that got a burst, sent again within a
-- minute, gets it again, so a lost reply is harmless. A caller that dies with it has
-- it: put what must be done in the end into a queue.
--
-- @version 1.0.0
-- @key     pending     debounce:{<key>}:pending hash expires
-- @key     taken       debounce:{<key>}:taken   hash expires
-- @arg     token       token
-- @returns Fired       count:int value:bytes
-- @returns NotYet      retry_after:ms
-- @returns Nothing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   pending debounce-pending/1
-- @state   taken debounce-pending/1
-- @retry   safe
-- @budget  calls<=8 growth=1
-- @example one of them gets it
--   debounce.push key=doc:1 quiet=1ms max_wait=1s value=a token=t1 -> Pending count=1
--   wait 20ms
--   take key=doc:1 token=w1 -> Fired count=1 value=a
--   take key=doc:1 token=w1 -> Fired count=1 value=a
--   take key=doc:1 token=w2 -> Nothing
-- @example not before it is due
--   take key=doc:2 token=w1 -> Nothing
--   debounce.push key=doc:2 quiet=60s max_wait=60s -> Pending count=1
--   take key=doc:2 token=w1 -> NotYet retry_after<=60s

local pending, taken = KEYS[1], KEYS[2]
local token = ARGV[1]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact
local REMEMBERED_MS = '60000'

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

local before = redis.call('HMGET', taken, 'v', 't', 'c', 'd')
if before[1] then
  local count = integer(before[3], 1, GREATEST)
  if before[1] ~= '1' or not count or not before[4] then
    return redis.error_reply('RLUA_BAD_STATE what was taken is not in format 1')
  end
  if before[2] == token then
    return {'Fired', count, before[4]}
  end
elseif redis.call('EXISTS', taken) == 1 then
  return redis.error_reply('RLUA_BAD_STATE what was taken has no format number')
end

local stored = redis.call('HMGET', pending, 'v', 'l', 'q', 'c', 'd')
if not stored[1] then
  if redis.call('EXISTS', pending) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the events have no format number')
  end
  return {'Nothing'}
end
local last_ms, fire_ms = integer(stored[2], 0, GREATEST), integer(stored[3], 0, GREATEST)
local count, value = integer(stored[4], 1, GREATEST), stored[5]
if stored[1] ~= '1' or not last_ms or not fire_ms or not count or not value then
  return redis.error_reply('RLUA_BAD_STATE the events are not in format 1')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local left_ms = fire_ms - math.max(last_ms, now_ms) -- the clock may have been set back
if left_ms > 0 then
  return {'NotYet', left_ms}
end
-- The key takes another name, so that this works on a full server, too.
redis.call('HSET', pending, 't', token)
redis.call('RENAME', pending, taken)
redis.call('PEXPIRE', taken, REMEMBERED_MS)
return {'Fired', count, value}
