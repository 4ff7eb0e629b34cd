#!lua
--- Take as many tokens as there are, up to a number, from a limiter that refills evenly.
--
-- The limiter is that of `gcra`: the same key, limit, period, burst and max_debt. Granted
-- says how many were taken, between 1 and count; `Limited` that there is none, and when
-- there is one. For work in batches: take what can be done now, and come back for the rest.
--
-- A call sent again after a lost reply may take tokens twice, never grant them twice.
--
-- @version 1.0.0
-- @key     state       limit:{<subject>}:gcra string expires
-- @arg     limit       int 1..1_000_000_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     burst       int 1..1_000_000_000
-- @arg     count       int 1..1_000_000_000
-- @arg     max_debt    int 0..1_000_000_000 = 0
-- @returns Granted     granted:int remaining:int reset_after:ms
-- @returns Limited     remaining:int retry_after:ms reset_after:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadRate     The arguments, each in its range, make no rate that can be kept.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   conservative
-- @budget  calls<=3 growth=1
-- @example what there is
--   take_up_to subject=user:1 limit=5 period=60s burst=5 count=3 -> Granted granted=3 remaining=2
--   take_up_to subject=user:1 limit=5 period=60s burst=5 count=9 -> Granted granted=2 remaining=0
--   take_up_to subject=user:1 limit=5 period=60s burst=5 count=9 -> Limited retry_after<=12s
-- @example one limiter for both
--   limit.gcra subject=user:2 limit=5 period=60s burst=5 cost=4 -> Allowed remaining=1
--   take_up_to subject=user:2 limit=5 period=60s burst=5 count=9 -> Granted granted=1
-- @example a rate that cannot be kept
--   take_up_to subject=user:4 limit=11 period=1ms burst=5 count=1 -> error BadRate
--   take_up_to subject=user:4 limit=1 period=366d burst=2 count=1 -> error BadRate
--   take_up_to subject=user:4 limit=1 period=366d burst=1 count=1 max_debt=2 -> error BadRate

local state = KEYS[1]
local limit, period_us, burst, count, max_debt = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local LONGEST_US = 31622400000000 -- 366 days
local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

limit = integer(limit, 1, 1000000000)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 1..1000000000')
end
period_us = integer(period_us, 1000, LONGEST_US)
if not period_us then
  return redis.error_reply('RLUA_BAD_ARGUMENT period must be an integer in 1000..31622400000000 us')
end
burst = integer(burst, 1, 1000000000)
if not burst then
  return redis.error_reply('RLUA_BAD_ARGUMENT burst must be an integer in 1..1000000000')
end
count = integer(count, 1, 1000000000)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..1000000000')
end
max_debt = integer(max_debt, 0, 1000000000)
if not max_debt then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_debt must be an integer in 0..1000000000')
end

-- Rounding the time of one token up to whole microseconds loses at most 1 % of the
-- rate when that time is 100 us or more.
if limit * 100 > period_us then
  return redis.error_reply('RLUA_BAD_RATE limit is more than one token per 100 us')
end
if burst * period_us > LONGEST_US * limit then
  return redis.error_reply('RLUA_BAD_RATE burst takes more than 366 days to refill')
end
if max_debt * period_us > LONGEST_US * limit then
  return redis.error_reply('RLUA_BAD_RATE max_debt takes more than 366 days to refill')
end

-- Every span is a whole number of tokens, each rounded up once: a burst is exactly
-- burst calls, and n calls last at least as long as n tokens take to earn. Spans
-- are at most some 369 days, so their sums with the clock stay far below 2^53.
local token_us = math.ceil(period_us / limit)
local burst_us = burst * token_us

local stored = redis.call('GET', state)
local stored_us = stored and integer(stored, 0, EXACT - 1)
if stored and not stored_us then
  return redis.error_reply('RLUA_BAD_STATE the stored time is not an integer below 2^53')
end

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- When the subject is full again: GCRA's theoretical arrival time. No call leaves it
-- beyond the ceiling, unless the clock was set back or the arguments have changed.
local full_us = math.max(stored_us or 0, now_us)
local ceiling_us = now_us + burst_us + max_debt * token_us
local is_beyond = full_us > ceiling_us
if is_beyond then
  full_us = ceiling_us
end

local there = math.max(math.floor((now_us + burst_us - full_us) / token_us), 0)
local granted = math.min(there, count)
full_us = full_us + granted * token_us
if granted > 0 or is_beyond then
  local expires_at_ms = string.format('%.0f', math.ceil(full_us / 1000))
  redis.call('SET', state, string.format('%.0f', full_us), 'PXAT', expires_at_ms)
end

local reset_after_ms = math.ceil((full_us - now_us) / 1000)
if granted == 0 then
  local wait_us = full_us + token_us - burst_us - now_us
  return {'Limited', 0, math.ceil(wait_us / 1000), reset_after_ms}
end
return {'Granted', granted, there - granted, reset_after_ms}
