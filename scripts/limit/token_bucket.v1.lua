#!lua
--- Take tokens from a stored balance that refills over time, or learn how long to wait.
--
-- A bucket starts full with capacity tokens and earns refill tokens per period,
-- continuously, up to capacity. A call takes cost tokens or none. Prefer `gcra`,
-- which is smaller and cheaper, unless a balance is what you want: one that
-- outlives a change of the rate, or that never refills.
--
-- The balance is kept in whole millionths of a token, rounded down: tokens are
-- never created, and less than two millionths are lost with each call that is
-- granted. A clock that is set back leaves the balance as it is. A capacity that
-- is lowered cuts the balance; one that is raised fills up at the usual rate.
--
-- remaining counts whole tokens, reset_after is the time until the bucket is full
-- again, and retry_after the time until this call would be granted if nobody else
-- takes any. `TooLarge` names a cost that capacity can never cover. mode peek,
-- and a cost of 0, take nothing and write nothing.
--
-- The bucket is one hash that expires when it is full, since an absent one counts
-- as full, but not within idle after the last granted call. With a refill of 0,
-- idle is required: only that expiry fills the bucket, and reset_after and
-- retry_after lead to it. `BadRate` is answered when idle is missing then, and
-- when capacity takes more than 366 days to refill.
--
-- A call sent again after a lost reply may take its tokens twice, never grant
-- them twice. Keep buckets on a server that does not evict.
--
-- @version 1.0.0
-- @key     bucket      limit:{<subject>}:bucket hash expires
-- @arg     capacity    int 1..1_000_000_000
-- @arg     refill      int 0..1_000_000_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     cost        int 0..1_000_000_000 = 1
-- @arg     idle        ms 1..31_622_400_000 = none
-- @arg     mode        enum(consume, peek) = consume
-- @returns Allowed     remaining:int reset_after:ms
-- @returns Limited     remaining:int retry_after:ms reset_after:ms
-- @returns TooLarge    capacity:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadRate     The arguments, each in its range, make no rate that can be kept.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   bucket limit-bucket/1
-- @retry   conservative
-- @budget  calls<=5 growth=1
-- @example a full bucket is spent, then earns
--   token_bucket subject=user:1 capacity=10 refill=1 period=60s cost=8 -> Allowed remaining=2
--   token_bucket subject=user:1 capacity=10 refill=1 period=60s cost=3 -> Limited remaining=2 retry_after<=60s
--   token_bucket subject=user:1 capacity=10 refill=1 period=60s cost=2 -> Allowed remaining=0 reset_after<=600s
-- @example a balance that is topped up by its expiry alone
--   token_bucket subject=user:2 capacity=3 refill=0 period=1s cost=3 idle=400ms -> Allowed remaining=0 reset_after<=401ms
--   token_bucket subject=user:2 capacity=3 refill=0 period=1s idle=400ms -> Limited remaining=0 retry_after<=401ms
--   token_bucket subject=user:2 capacity=3 refill=0 period=1s idle=400ms mode=peek -> Limited remaining=0
--   wait 500ms
--   token_bucket subject=user:2 capacity=3 refill=0 period=1s idle=400ms -> Allowed remaining=2
--   token_bucket subject=user:5 capacity=3 refill=0 period=1s idle=400ms mode=peek -> Allowed remaining=3 reset_after=0ms
-- @example looking takes nothing
--   token_bucket subject=user:3 capacity=3 refill=1 period=60s mode=peek -> Allowed remaining=3 reset_after=0ms
--   token_bucket subject=user:3 capacity=3 refill=1 period=60s cost=4 mode=peek -> TooLarge capacity=3
-- @example a bucket that never refills needs an expiry
--   token_bucket subject=user:4 capacity=3 refill=0 period=1s -> error BadRate
-- @example nor may it take more than 366 days to refill
--   token_bucket subject=user:4 capacity=2 refill=1 period=366d -> error BadRate
-- @example a rate of many tokens in a broken number of seconds
--   token_bucket subject=user:6 capacity=1_000_000_000 refill=1_000_000_000 period=1500ms cost=1_000_000_000 -> Allowed remaining=0 reset_after<=1501ms
--   token_bucket subject=user:6 capacity=1_000_000_000 refill=1_000_000_000 period=1500ms cost=1_000_000_000 -> Limited retry_after<=1501ms

local bucket = KEYS[1]
local capacity, refill, period_us, cost, idle_ms, mode =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local LONGEST_US = 31622400000000 -- 366 days
local TOKEN = 1000000 -- millionths: the unit of the balance
local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

-- A call of a function costs the server as much as twenty operations: so `text + 0` stands
-- for tonumber, and commands take numbers, which below 10^17 they write with all digits.
local function integer(text, low, high)
  local number = text and text:find('^%d+$') and text + 0
  return number and number >= low and number <= high and number or nil
end

local is_refill_capacity = refill == capacity
capacity = integer(capacity, 1, 1000000000)
if not capacity then
  return redis.error_reply('RLUA_BAD_ARGUMENT capacity must be an integer in 1..1000000000')
end
refill = is_refill_capacity and capacity or integer(refill, 0, 1000000000)
if not refill then
  return redis.error_reply('RLUA_BAD_ARGUMENT refill must be an integer in 0..1000000000')
end
period_us = integer(period_us, 1000, LONGEST_US)
if not period_us then
  return redis.error_reply('RLUA_BAD_ARGUMENT period must be an integer in 1000..31622400000000 us')
end
cost = cost == '1' and 1 or integer(cost, 0, 1000000000)
if not cost then
  return redis.error_reply('RLUA_BAD_ARGUMENT cost must be an integer in 0..1000000000')
end
local has_idle = idle_ms ~= ''
idle_ms = has_idle and integer(idle_ms, 1, 31622400000) or 0
if has_idle and idle_ms == 0 then
  return redis.error_reply('RLUA_BAD_ARGUMENT idle must be an integer in 1..31622400000 ms')
end
if mode ~= 'consume' and mode ~= 'peek' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be consume or peek')
end

if refill == 0 and not has_idle then
  return redis.error_reply('RLUA_BAD_RATE a bucket with refill 0 needs idle')
end
if refill > 0 and capacity * period_us > LONGEST_US * refill then
  return redis.error_reply('RLUA_BAD_RATE capacity takes more than 366 days to refill')
end
if cost > capacity then
  return {'TooLarge', capacity}
end

-- The rate is `gain` millionths of a token in `span_us`; a period of whole seconds is
-- reduced, which keeps nearly all products below exact.
local gain, span_us = refill * TOKEN, period_us
if period_us % 1000000 == 0 then
  gain, span_us = refill, period_us / 1000000
end

-- What `elapsed_us` earns, never too much: two roundings are worth less than one
-- millionth in a result below 10^15, and a greater one is cut to capacity.
local function earned(elapsed_us, gain_, span)
  local product = elapsed_us * gain_
  if product <= EXACT then
    return math.floor(product / span)
  end
  return math.floor(product / span) - 1
end

-- The least time that earns `amount`, or so little more that `earned` cannot fall short.
local function time_to_earn(amount, gain_, span)
  local product = amount * span
  if product <= EXACT / 2 then
    return math.ceil(product / gain_)
  end
  return math.floor((amount + 2) * span / gain_) + 1
end

local stored = redis.call('HMGET', bucket, 'v', 'b', 't')
local format, stored_balance, since_us =
  stored[1], integer(stored[2], 0, EXACT - 1), integer(stored[3], 0, EXACT - 1)
if not format then
  if redis.call('EXISTS', bucket) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the bucket has no format number')
  end
elseif format ~= '1' or not (stored_balance and since_us) then
  return redis.error_reply('RLUA_BAD_STATE the bucket is not in format 1')
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]

-- `base` is the balance at the time it was stored, `balance` the one at this moment.
local full, price = capacity * TOKEN, cost * TOKEN
local base = stored_balance and stored_balance < full and stored_balance or full
local is_ahead = since_us and since_us > now_us -- the clock was set back
local elapsed_us = since_us and not is_ahead and now_us - since_us or 0
local balance = base < full and base + earned(elapsed_us, gain, span_us) or full
if balance > full then
  balance = full
end

local takes = mode == 'consume' and cost > 0
local is_enough = balance >= price
if takes and is_enough then
  balance = balance - price
  base, elapsed_us = balance, 0
end

-- When the bucket is full: by its refill, or by its expiry alone. That is kept when it
-- is known and sane; without one, or with one from before a change of the clock, an
-- empty bucket would stay empty.
local full_at_us, expires_at_ms = now_us, nil
local is_stray = false
if refill > 0 then
  if balance < full then
    full_at_us = now_us - elapsed_us + time_to_earn(full - base, gain, span_us)
  end
  expires_at_ms = math.ceil(math.max(full_at_us, now_us + idle_ms * 1000) / 1000)
elseif balance < full then
  expires_at_ms = math.floor(now_us / 1000) + idle_ms
  if not (takes and is_enough) then
    local current_ms = redis.call('PEXPIRETIME', bucket)
    is_stray = current_ms < 0 or current_ms > expires_at_ms
    expires_at_ms = is_stray and expires_at_ms or current_ms
  end
  full_at_us = (expires_at_ms + 1) * 1000 -- a key lives through the millisecond it expires in
end

-- A refusal writes nothing, but for a time or an expiry that would refuse for too long.
if takes and (is_enough or is_ahead or is_stray) then
  redis.call('HSET', bucket, 'v', '1', 'b', base, 't', now_us)
  redis.call('PEXPIREAT', bucket, expires_at_ms)
end

local remaining = math.floor(balance / TOKEN)
local reset_after_ms = math.ceil((full_at_us - now_us) / 1000)
if is_enough then
  return {'Allowed', remaining, reset_after_ms}
end
local enough_at_us = full_at_us
if refill > 0 then
  enough_at_us = now_us - elapsed_us + time_to_earn(price - base, gain, span_us)
end
return {'Limited', remaining, math.ceil((enough_at_us - now_us) / 1000), reset_after_ms}
