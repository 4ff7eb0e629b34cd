#!lua
--- Add to a counter that starts anew with each window, but never beyond its limit.
--
-- Pass window for windows that begin with their first call, or reset_at (the
-- server's time, in ms since 1970) for windows that end at a moment of the
-- calendar: exactly one of the two. An amount that does not fit is not added at
-- all, and `Capped` says so; what is refused does not count. An amount above
-- limit is capped for ever.
--
-- value is the counter after the call, reset_after the time until it starts anew.
-- Over one edge of a window twice the limit may pass: use `gcra` or
-- `sliding_window` where that matters.
--
-- renew on_create sets the expiry when the counter is created, always sets it
-- with each addition. An expiry that is missing, or further away than the window,
-- is put right by any call: no counter refuses for longer than a window.
--
-- A call sent again after a lost reply may add twice. The counter is a plain
-- integer string: other commands may read it, or take some of it back. An absent
-- one is 0: keep it on a server that does not evict.
--
-- @version 1.0.0
-- @key     counter     limit:{<subject>}:counter string expires
-- @arg     limit       int 0..9_007_199_254_740_991
-- @arg     window      ms 1..31_622_400_000 = none
-- @arg     reset_at    ms 0..9_007_199_254_740_991 = none
-- @arg     amount      int 1..9_007_199_254_740_991 = 1
-- @arg     renew       enum(on_create, always) = on_create
-- @returns Added       value:int reset_after:ms
-- @returns Capped      value:int reset_after:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   conservative
-- @budget  calls<=4 growth=1
-- @example three in a minute, and what is refused does not count
--   increment_with_limit subject=user:1 limit=3 window=60s -> Added value=1 reset_after=60s
--   increment_with_limit subject=user:1 limit=3 window=60s amount=3 -> Capped value=1
--   increment_with_limit subject=user:1 limit=3 window=60s amount=2 -> Added value=3
--   increment_with_limit subject=user:1 limit=3 window=60s -> Capped value=3 reset_after<=60s
--   increment_with_limit subject=user:4 limit=3 window=60s amount=4 -> Capped value=0
-- @example a new window starts from nothing
--   increment_with_limit subject=user:2 limit=1 window=50ms -> Added value=1 reset_after=50ms
--   wait 80ms
--   increment_with_limit subject=user:2 limit=1 window=50ms -> Added value=1
-- @example a budget up to a moment of the calendar
--   increment_with_limit subject=user:3 limit=100 reset_at=4102444800000 amount=60 -> Added value=60
--   increment_with_limit subject=user:3 limit=100 reset_at=4102444800000 amount=60 -> Capped value=60
--   increment_with_limit subject=user:3 limit=100 reset_at=1000 -> error BadArgument
--   increment_with_limit subject=user:3 limit=100 -> error BadArgument

local counter = KEYS[1]
local limit, window_ms, reset_at_ms, amount, renew = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local GREATEST = 9007199254740991 -- 2^53 - 1

-- A call of a function costs the server as much as twenty operations: so `text + 0` stands
-- for tonumber, and commands take numbers, which below 10^17 they write with all digits.
local function integer(text, low, high)
  local number = text and text:find('^%-?%d+$') and text + 0
  return number and number >= low and number <= high and number or nil
end

limit = integer(limit, 0, GREATEST)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 0..9007199254740991')
end
if (window_ms == '') == (reset_at_ms == '') then
  return redis.error_reply('RLUA_BAD_ARGUMENT exactly one of window and reset_at must be given')
end
amount = amount == '1' and 1 or integer(amount, 1, GREATEST)
if not amount then
  return redis.error_reply('RLUA_BAD_ARGUMENT amount must be an integer in 1..9007199254740991')
end
if renew ~= 'on_create' and renew ~= 'always' then
  return redis.error_reply('RLUA_BAD_ARGUMENT renew must be on_create or always')
end

-- The expiry that a new counter gets: an option of SET, its operand, and what is then left.
local option, operand, span_ms
if window_ms ~= '' then
  span_ms = integer(window_ms, 1, 31622400000)
  if not span_ms then
    return redis.error_reply('RLUA_BAD_ARGUMENT window must be an integer in 1..31622400000 ms')
  end
  option, operand = 'PX', span_ms
else
  reset_at_ms = integer(reset_at_ms, 0, GREATEST)
  if not reset_at_ms then
    return redis.error_reply('RLUA_BAD_ARGUMENT reset_at must be in 0..9007199254740991 ms')
  end
  local time = redis.call('TIME')
  span_ms = reset_at_ms - (time[1] * 1000 + math.floor(time[2] / 1000))
  if span_ms < 1 then
    return redis.error_reply('RLUA_BAD_ARGUMENT reset_at must be in the future')
  end
  option, operand = 'PXAT', reset_at_ms
end

local stored = redis.call('GET', counter)
local value = stored and integer(stored, -GREATEST, GREATEST) or not stored and 0
if not value then
  return redis.error_reply('RLUA_BAD_STATE the counter is not an integer within 2^53')
end

-- A new counter needs its expiry; so does one without any, or with one further away than
-- the window (a longer one, or from before the clock was set back), which would refuse
-- for too long.
local left_ms = stored and redis.call('PTTL', counter) or -1
local is_due = left_ms < 0 or left_ms > span_ms
if is_due then
  left_ms = span_ms
end

if value + amount > limit then
  if stored and is_due then
    redis.call('SET', counter, stored, option, operand)
  end
  return {'Capped', value, left_ms}
end

-- One command writes the value together with its expiry: neither is ever there alone.
value = value + amount
if is_due or renew == 'always' then
  redis.call('SET', counter, value, option, operand)
  return {'Added', value, span_ms}
end
redis.call('SET', counter, value, 'KEEPTTL')
return {'Added', value, left_ms}
