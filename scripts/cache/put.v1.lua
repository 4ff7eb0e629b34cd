#!lua
--- Store a value that the caller has, whatever is stored, and void every fetch under way.
--
-- For values that are known without a fetch: filling a cache ahead of time, or right after
-- the source was written. The lease goes, so that a fetch which began before cannot store
-- what it read: its `fill` answers `LeaseLost`. Past soft the value is served as stale while
-- one caller of `get_or_lock` refreshes it; past hard it is gone. soft is at most hard.
-- negative stores an absence, and goes with an empty value. The value is never refreshed
-- early, since nobody knows what a fetch costs. Everybody who waits on the key's channel is
-- woken.
--
-- Of two callers the last one wins. Sent again after a lost reply it stores once more, over
-- whatever came in between, and its time to live starts anew.
--
-- @version 1.0.0
-- @key     entry     cache:{<key>}:entry hash expires
-- @key     lease     cache:{<key>}:lease string expires
-- @arg     value     bytes 0..262_144
-- @arg     soft      ms 1..31_622_400_000
-- @arg     hard      ms 1..31_622_400_000
-- @arg     negative  bool = false
-- @channel filled    cache:{<key>}:filled
-- @returns Stored    replaced:bool
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=8 growth=1
-- @example what is stored is served
--   put key=user:1 value=Ada soft=60000ms hard=90000ms -> Stored replaced=false
--   put key=user:1 value=Eve soft=60000ms hard=90000ms -> Stored replaced=true
--   cache.read key=user:1 -> Hit value=Eve fresh_for<=60000ms
-- @example a fetch that was under way cannot store what it read
--   cache.get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   put key=user:2 value=new soft=60000ms hard=90000ms -> Stored replaced=false
--   cache.fill key=user:2 owner=a value=old soft=60000ms hard=90000ms -> LeaseLost
--   cache.read key=user:2 -> Hit value=new
-- @example an absence
--   put key=user:3 value='' soft=60000ms hard=60000ms negative=true -> Stored
--   cache.read key=user:3 -> Negative
--   put key=user:3 value=x soft=60000ms hard=60000ms negative=true -> error BadArgument
--   put key=user:3 value=x soft=2000ms hard=1000ms -> error BadArgument

local entry, lease = KEYS[1], KEYS[2]
local value, soft_ms, hard_ms, negative, filled =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local LONGEST_MS = 31622400000

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not value or #value > 262144 then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 262144 bytes')
end
hard_ms = integer(hard_ms, 1, LONGEST_MS)
if not hard_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hard must be an integer in 1..31622400000 ms')
end
soft_ms = integer(soft_ms, 1, hard_ms)
if not soft_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT soft must be an integer of ms from 1 to hard')
end
if negative ~= '0' and negative ~= '1' then
  return redis.error_reply('RLUA_BAD_ARGUMENT negative must be 0 or 1')
end
if negative == '1' and value ~= '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be empty when negative is set')
end
if not filled or filled == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT filled must be the name of a channel')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local format = redis.call('HGET', entry, 'v')
if not format then
  if redis.call('EXISTS', entry) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the entry has no format number')
  end
elseif format ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the entry is not in format 1')
end

-- Read for its type alone: nothing is written when it is no string.
redis.call('GET', lease)

if format then
  redis.call('UNLINK', entry)
end
redis.call(
  'HSET', entry, 'v', '1', 'd', value,
  's', string.format('%.0f', now_ms + soft_ms),
  'x', '0',
  'n', negative,
  't', string.format('%.0f', now_ms)
)
redis.call('PEXPIRE', entry, string.format('%.0f', hard_ms))
redis.call('UNLINK', lease)
redis.call('SPUBLISH', filled, 'filled')
return {'Stored', format and 1 or 0}
