#!lua
--- Note that visitors were seen, for counting how many different ones there were.
--
-- Kept is a HyperLogLog: at most some 14 KB however many visitors there are, and a
-- count with a standard error of 0.81 %. Who was seen is not in it. Let page hold the
-- day or the hour as well, as in `home:2026-11-22`: spans are counted together by
-- `count` and folded into one key by `rollup`.
--
-- ttl begins when the first visitor of a page is noted, and is given again to a key
-- that has lost its expiry. Changed tells whether the count may have grown. The same
-- visitor again changes nothing, and neither does a call sent again.
--
-- @version 1.0.0
-- @key     sketch   visitors:{<site>}:<page> string expires
-- @arg     ttl      ms 1..31_622_400_000
-- @arg     visitors:(id:str 1..64)... 1..500
-- @returns Changed
-- @returns Unchanged
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=3 growth=1 n=visitors
-- @example a visitor counts once
--   record site=shop page=home ttl=1h visitors=[(ann) (bob)] -> Changed
--   record site=shop page=home ttl=1h visitors=[(ann)] -> Unchanged
--   visitors.count site=shop page=[home] -> Counted visitors=2
-- @example pages are counted apart, and together
--   record site=shop page=home ttl=1h visitors=[(ann) (bob)] -> Changed
--   record site=shop page=cart ttl=1h visitors=[(bob) (cid)] -> Changed
--   visitors.count site=shop page=[home, cart] -> Counted visitors=3

local sketch = KEYS[1]
local ttl_ms, visitors = ARGV[1], ARGV[2]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
visitors = integer(visitors, 1, 500)
if not visitors or visitors ~= #ARGV - 2 then
  return redis.error_reply('RLUA_BAD_ARGUMENT visitors must be the number of ids that follow, 1..500')
end

local changed = redis.call('PFADD', sketch, unpack(ARGV, 3))
if redis.call('PTTL', sketch) == -1 then
  redis.call('PEXPIRE', sketch, string.format('%.0f', ttl_ms))
end
if changed == 1 then
  return {'Changed'}
end
return {'Unchanged'}
