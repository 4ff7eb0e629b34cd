#!lua
--- Hand out the next numbers of a sequence, each greater than all before.
--
-- A number is the server's time in us, or one more than the last, whichever is greater:
-- numbers grow with time, have gaps, and can be sorted by. count takes a block of them,
-- first to first + count - 1, for a caller that needs many.
--
-- No number is handed out twice, not even when the key is lost, as long as the server's
-- clock is not set back by then. The key is kept until keep after the time of its last
-- number, which is how far the clock may be set back. A call sent again after a lost reply
-- takes another block, and leaves a gap.
--
-- @version 1.0.0
-- @key     last        sequence:{<name>}:last string expires
-- @arg     count       int 1..1_000 = 1
-- @arg     keep        ms 1..31_622_400_000 = 86_400_000
-- @returns Range       first:int count:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example numbers grow
--   next name=orders -> Range first>=1 count=1
--   next name=orders count=100 -> Range first>=$1.first count=100
-- @example a block is one caller's
--   next name=orders count=1000 -> Range count=1000
--   next name=orders count=1000 keep=1h -> Range first>=$1.first count=1000

local last = KEYS[1]
local count, keep_ms = ARGV[1], ARGV[2]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

count = integer(count, 1, 1000)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..1000')
end
keep_ms = integer(keep_ms, 1, 31622400000)
if not keep_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep must be an integer in 1..31622400000 ms')
end

local stored = redis.call('GET', last)
local stored_number = stored and integer(stored, 0, GREATEST)
if stored and not stored_number then
  return redis.error_reply('RLUA_BAD_STATE the last number is not an integer below 2^53')
end

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local first = math.max(now_us, (stored_number or 0) + 1)
local new_last = first + (count - 1) -- in this order: beyond 2^53 a sum is rounded
if new_last > GREATEST then
  return redis.error_reply('RLUA_BAD_STATE the sequence cannot grow beyond 2^53')
end

local expires_at_ms = math.ceil(new_last / 1000) + keep_ms
redis.call(
  'SET', last, string.format('%.0f', new_last), 'PXAT', string.format('%.0f', expires_at_ms)
)
return {'Range', first, count}
