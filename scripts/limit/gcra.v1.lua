#!lua
--- Take tokens from a limiter that refills evenly, or learn how long to wait.
--
-- A subject has at most burst tokens and earns limit tokens per period, one at a
-- time and evenly. A call takes cost tokens or none. In any span t at most
-- burst + t * limit / period tokens are granted; whoever keeps asking is granted
-- at least 99 % of the rate.
--
-- remaining counts the tokens left, reset_after is the time until all of burst
-- is there again, and retry_after the time until this call would be granted if
-- nobody else takes any. `TooLarge` names a cost that burst can never cover.
-- mode peek, and a cost of 0, take nothing and write nothing.
--
-- All callers of a subject pass the same limit, period, burst and max_debt. After
-- a change of these, and after the server's clock was set back, the wait is at
-- most what the current arguments allow: one full burst, and max_debt. max_debt
-- is how many tokens a subject may owe, where callers correct a charge afterwards;
-- with 0 a debt is forgiven.
--
-- `BadRate` is answered for a limit of more than one token per 100 us, and for a
-- burst or a max_debt worth more than 366 days.
--
-- A call sent again after a lost reply may take its tokens twice, never grant
-- them twice. The state is one string (the time at which the subject is full
-- again, in us) that expires at that time: an absent key is a full burst, so keep
-- limiters on a server that does not evict.
--
-- @version 1.0.0
-- @key     state       limit:{<subject>}:gcra string expires
-- @arg     limit       int 1..1_000_000_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     burst       int 1..1_000_000_000
-- @arg     cost        int 0..1_000_000_000 = 1
-- @arg     mode        enum(consume, peek) = consume
-- @arg     max_debt    int 0..1_000_000_000 = 0
-- @returns Allowed     remaining:int reset_after:ms
-- @returns Limited     remaining:int retry_after:ms reset_after:ms
-- @returns TooLarge    burst:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadRate     The arguments, each in its range, make no rate that can be kept.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   conservative
-- @budget  calls<=3 growth=1
-- @example five at once, then one every 12 seconds
--   gcra subject=user:1 limit=5 period=60s burst=5 -> Allowed remaining=4 reset_after<=12s
--   gcra subject=user:1 limit=5 period=60s burst=5 -> Allowed remaining=3 reset_after<=24s
--   gcra subject=user:1 limit=5 period=60s burst=5 cost=3 -> Allowed remaining=0
--   gcra subject=user:1 limit=5 period=60s burst=5 -> Limited remaining=0 retry_after<=12s
-- @example a refusal takes nothing, and a short wait pays for one more
--   gcra subject=user:2 limit=100 period=1s burst=1 -> Allowed remaining=0 reset_after<=10ms
--   wait 20ms
--   gcra subject=user:2 limit=100 period=1s burst=1 -> Allowed remaining=0 reset_after<=10ms
-- @example looking takes nothing
--   gcra subject=user:3 limit=5 period=60s burst=5 mode=peek -> Allowed remaining=5 reset_after=0ms
--   gcra subject=user:3 limit=5 period=60s burst=5 cost=4 -> Allowed remaining=1
--   gcra subject=user:3 limit=5 period=60s burst=5 cost=2 mode=peek -> Limited remaining=1
--   gcra subject=user:3 limit=5 period=60s burst=5 cost=0 -> Allowed remaining=1
-- @example what can never be granted is said so
--   gcra subject=user:4 limit=5 period=60s burst=5 cost=6 -> TooLarge burst=5
--   gcra subject=user:4 limit=11 period=1ms burst=5 -> error BadRate
--   gcra subject=user:4 limit=1 period=366d burst=2 -> error BadRate
--   gcra subject=user:4 limit=1 period=366d burst=1 max_debt=2 -> error BadRate

local state = KEYS[1]
local limit, period_us, burst, cost, mode, max_debt =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local LONGEST_US = 31622400000000 -- 366 days
local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

-- A call of a function costs the server as much as twenty operations: so `text + 0` stands
-- for tonumber, and commands take numbers, which below 10^17 they write with all digits.
local function integer(text, low, high)
  local number = text and text:find('^%d+$') and text + 0
  return number and number >= low and number <= high and number or nil
end

local is_burst_limit = burst == limit
limit = integer(limit, 1, 1000000000)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 1..1000000000')
end
period_us = integer(period_us, 1000, LONGEST_US)
if not period_us then
  return redis.error_reply('RLUA_BAD_ARGUMENT period must be an integer in 1000..31622400000000 us')
end
burst = is_burst_limit and limit or integer(burst, 1, 1000000000)
if not burst then
  return redis.error_reply('RLUA_BAD_ARGUMENT burst must be an integer in 1..1000000000')
end
cost = cost == '1' and 1 or integer(cost, 0, 1000000000)
if not cost then
  return redis.error_reply('RLUA_BAD_ARGUMENT cost must be an integer in 0..1000000000')
end
if mode ~= 'consume' and mode ~= 'peek' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be consume or peek')
end
max_debt = max_debt == '0' and 0 or integer(max_debt, 0, 1000000000)
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
if cost > burst then
  return {'TooLarge', burst}
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
local now_us = time[1] * 1000000 + time[2]
local takes = mode == 'consume' and cost > 0

-- When the subject is full again: GCRA's theoretical arrival time. No call leaves it
-- beyond the ceiling, unless the clock was set back or the arguments have changed.
local full_us = now_us
if stored_us and stored_us > now_us then
  full_us = stored_us
end
local ceiling_us = now_us + burst_us + max_debt * token_us
local is_beyond = full_us > ceiling_us
if is_beyond then
  full_us = ceiling_us
end

local wait_us = full_us + cost * token_us - burst_us - now_us
if wait_us <= 0 and takes then
  full_us = full_us + cost * token_us
end

-- A refusal writes nothing, but for a time beyond the ceiling: left as it is, it would
-- be cut back on each call and refuse until the old time has come.
if takes and (wait_us <= 0 or is_beyond) then
  redis.call('SET', state, full_us, 'PXAT', math.ceil(full_us / 1000))
end

local remaining = math.max(math.floor((now_us + burst_us - full_us) / token_us), 0)
local reset_after_ms = math.ceil((full_us - now_us) / 1000)
if wait_us > 0 then
  return {'Limited', remaining, math.ceil(wait_us / 1000), reset_after_ms}
end
return {'Allowed', remaining, reset_after_ms}
