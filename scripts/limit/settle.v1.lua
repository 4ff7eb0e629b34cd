#!lua
--- Correct a charge afterwards: give tokens back, or take more, whatever is there.
--
-- For work whose cost is known when it is done: reserve with `gcra`, work, settle the
-- difference. The limiter is that of `gcra`: the same key, limit, period, burst and
-- max_debt. A negative delta gives tokens back, never beyond a full burst. A positive
-- one takes them, also into debt: remaining is then negative, and the subject waits until
-- it has earned them. A debt ends at max_debt: `DebtCapped` says that not all of delta
-- was taken.
--
-- Make a new token for each correction. Sent again within remember it is `Replayed`, also
-- when other corrections are remembered for less, or the server's clock was set back
-- meanwhile. It may be so for longer, for a day at most while the clock goes on. The last
-- 64 corrections of a subject are remembered.
--
-- @version 1.0.0
-- @key     state       limit:{<subject>}:gcra string expires
-- @key     settled     limit:{<subject>}:settled zset expires
-- @arg     limit       int 1..1_000_000_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     burst       int 1..1_000_000_000
-- @arg     max_debt    int 0..1_000_000_000
-- @arg     delta       int -1_000_000_000..1_000_000_000
-- @arg     remember    ms 1000..86_400_000 = 1h
-- @arg     token       token
-- @returns Settled     remaining:int
-- @returns DebtCapped  remaining:int
-- @returns Replayed    remaining:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadRate     The arguments, each in its range, make no rate that can be kept.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=10 growth=1
-- @example it took less
--   limit.gcra subject=user:1 limit=5 period=60s burst=5 cost=4 -> Allowed remaining=1
--   settle subject=user:1 limit=5 period=60s burst=5 max_debt=0 delta=-3 token=t1 -> Settled remaining=4
--   settle subject=user:1 limit=5 period=60s burst=5 max_debt=0 delta=-3 token=t1 -> Replayed remaining=4
--   settle subject=user:1 limit=5 period=60s burst=5 max_debt=0 delta=-3 token=t2 -> Settled remaining=5
-- @example it took more
--   limit.gcra subject=user:2 limit=5 period=60s burst=5 cost=4 max_debt=4 -> Allowed remaining=1
--   settle subject=user:2 limit=5 period=60s burst=5 max_debt=4 delta=3 token=t1 -> Settled remaining=-2
--   settle subject=user:2 limit=5 period=60s burst=5 max_debt=4 delta=9 token=t2 -> DebtCapped remaining=-4
--   limit.gcra subject=user:2 limit=5 period=60s burst=5 max_debt=4 -> Limited retry_after<=60s
-- @example a rate that cannot be kept
--   settle subject=user:4 limit=11 period=1ms burst=5 max_debt=0 delta=1 -> error BadRate
--   settle subject=user:4 limit=1 period=366d burst=2 max_debt=0 delta=1 -> error BadRate
--   settle subject=user:4 limit=1 period=366d burst=1 max_debt=2 delta=1 -> error BadRate

local state, settled = KEYS[1], KEYS[2]
local limit, period_us, burst, max_debt, delta, remember_ms, token =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local LONGEST_US = 31622400000000 -- 366 days
local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

local REMEMBERED = 64
local LONGEST_REMEMBERED_US = 86400000000 -- a day

local function integer(text, low, high)
  local number = text and text:find('^%-?%d+$') and tonumber(text)
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
max_debt = integer(max_debt, 0, 1000000000)
if not max_debt then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_debt must be an integer in 0..1000000000')
end
delta = integer(delta, -1000000000, 1000000000)
if not delta then
  return redis.error_reply('RLUA_BAD_ARGUMENT delta must be an integer in -1000000000..1000000000')
end
remember_ms = integer(remember_ms, 1000, 86400000)
if not remember_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT remember must be an integer in 1000..86400000 ms')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
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

local full_us = math.max(stored_us or 0, now_us)
local ceiling_us = now_us + burst_us + max_debt * token_us
local before_us = math.min(full_us, ceiling_us)
local function remaining_at(us)
  return math.floor((now_us + burst_us - us) / token_us)
end
if redis.call('ZSCORE', settled, token) then
  return {'Replayed', remaining_at(before_us)}
end

full_us = math.max(before_us + delta * token_us, now_us)
local is_capped = full_us > ceiling_us
if is_capped then
  full_us = ceiling_us
end

-- Scores only grow, whatever the clock does: the oldest correction makes room, never the one
-- that was just made. How long each is to be remembered is not stored, so none is forgotten
-- before the longest time that any caller may have asked for, and no expiry is made shorter.
local newest = redis.call('ZRANGE', settled, -1, -1, 'WITHSCORES')
local at_us = math.max(now_us, (tonumber(newest[2]) or 0) + 1)
local forgotten_us = string.format('%.0f', now_us - LONGEST_REMEMBERED_US)
redis.call('ZREMRANGEBYSCORE', settled, '-inf', forgotten_us)
redis.call('ZADD', settled, string.format('%.0f', at_us), token)
redis.call('ZREMRANGEBYRANK', settled, 0, -REMEMBERED - 1)
if redis.call('PTTL', settled) < remember_ms then
  redis.call('PEXPIRE', settled, string.format('%.0f', remember_ms))
end
if full_us > now_us then
  local expires_at_ms = string.format('%.0f', math.ceil(full_us / 1000))
  redis.call('SET', state, string.format('%.0f', full_us), 'PXAT', expires_at_ms)
else
  redis.call('UNLINK', state)
end
return {is_capped and 'DebtCapped' or 'Settled', remaining_at(full_us)}
