#!lua
--- Count calls over a sliding period with two numbers: an estimate, for any limit.
--
-- The calls of the current window and of the one before are counted; those of the
-- one before weigh as much as of it still lies within the last period. Granted is
-- what keeps that estimate, rounded up, within limit; refused calls do not count.
-- The estimate takes the calls of the window before to be spread evenly: a burst
-- at its very end can let nearly 2 * limit calls through within one period. Where
-- that matters use `gcra`, or `sliding_window`, which is exact.
--
-- remaining counts what is left, reset_after is the time until nothing counts any
-- more, and retry_after the time until this call would be granted if nobody else
-- is. `TooLarge` names a cost that limit can never cover. mode peek, and a cost
-- of 0, count nothing and write nothing.
--
-- A window begins with the first call. After a change of the period, and after
-- the server's clock was set back, what is counted counts as of the present: for
-- two periods at most.
--
-- A call sent again after a lost reply may count twice, never grant twice. The
-- window is one hash that expires when nothing counts any more. An absent one
-- grants everything: keep it on a server that does not evict.
--
-- @version 1.0.0
-- @key     window      limit:{<subject>}:window hash expires
-- @arg     limit       int 1..1_000_000_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     cost        int 0..1_000_000_000 = 1
-- @arg     mode        enum(consume, peek) = consume
-- @returns Allowed     remaining:int reset_after:ms
-- @returns Limited     remaining:int retry_after:ms reset_after:ms
-- @returns TooLarge    limit:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   window limit-window/1
-- @retry   conservative
-- @budget  calls<=5 growth=1
-- @example three in a minute, and the fourth waits
--   sliding_window_counter subject=user:1 limit=3 period=60s -> Allowed remaining=2 reset_after=120s
--   sliding_window_counter subject=user:1 limit=3 period=60s cost=2 -> Allowed remaining=0
--   sliding_window_counter subject=user:1 limit=3 period=60s -> Limited remaining=0 retry_after<=80s
-- @example looking counts nothing
--   sliding_window_counter subject=user:2 limit=3 period=60s mode=peek -> Allowed remaining=3
--   sliding_window_counter subject=user:2 limit=3 period=60s cost=2 -> Allowed remaining=1
--   sliding_window_counter subject=user:2 limit=3 period=60s cost=2 mode=peek -> Limited remaining=1
-- @example what can never be granted is said so
--   sliding_window_counter subject=user:3 limit=3 period=60s cost=4 -> TooLarge limit=3
-- @example a window that has ended ebbs away during the next
--   sliding_window_counter subject=user:4 limit=3 period=400ms -> Allowed remaining=2
--   wait 500ms
--   sliding_window_counter subject=user:4 limit=3 period=400ms mode=peek -> Allowed remaining>=2
-- @example as many as a header allows, over as long
--   sliding_window_counter subject=user:5 limit=1_000_000_000 period=366d cost=1_000_000_000 -> Allowed remaining=0
--   sliding_window_counter subject=user:5 limit=1_000_000_000 period=366d -> Limited remaining=0 retry_after>=366d

local window = KEYS[1]
local limit, period_us, cost, mode = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

-- A call of a function costs the server as much as twenty operations: so `text + 0` stands
-- for tonumber, and commands take numbers, which below 10^17 they write with all digits.
local function integer(text, low, high)
  local number = text and text:find('^%d+$') and text + 0
  return number and number >= low and number <= high and number or nil
end

-- count * part / whole, rounded down, and whether something was left over. Long division
-- in base 64, for count < 2^30 and part, whole < 2^45, whose product a number cannot hold.
local function scale(count, part, whole)
  if count * part <= EXACT / 2 then
    return math.floor(count * part / whole), count * part % whole > 0
  end
  local quotient, rest = 0, 0
  local unit = 1073741824
  for _ = 1, 5 do
    unit = unit / 64
    local dividend = rest * 64 + math.floor(count / unit) % 64 * part
    quotient = quotient * 64 + math.floor(dividend / whole)
    rest = dividend % whole
  end
  return quotient, rest > 0
end

limit = integer(limit, 1, 1000000000)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 1..1000000000')
end
period_us = integer(period_us, 1000, 31622400000000)
if not period_us then
  return redis.error_reply('RLUA_BAD_ARGUMENT period must be an integer in 1000..31622400000000 us')
end
cost = cost == '1' and 1 or integer(cost, 0, 1000000000)
if not cost then
  return redis.error_reply('RLUA_BAD_ARGUMENT cost must be an integer in 0..1000000000')
end
if mode ~= 'consume' and mode ~= 'peek' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be consume or peek')
end

if cost > limit then
  return {'TooLarge', limit}
end

local stored = redis.call('HMGET', window, 'v', 'e', 'c', 'p')
local format, ends_us = stored[1], integer(stored[2], 0, EXACT - 1)
local current, previous = integer(stored[3], 0, 1000000000), integer(stored[4], 0, 1000000000)
if not format then
  if redis.call('EXISTS', window) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the window has no format number')
  end
elseif format ~= '1' or not (ends_us and current and previous) then
  return redis.error_reply('RLUA_BAD_STATE the window is not in format 1')
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]

-- The end of the window is stored, not its start or number: whatever the period was,
-- what was counted before that end counts in full until then, and ebbs away after it.
local is_beyond = false
if not ends_us or now_us >= ends_us + period_us then
  ends_us, current, previous = now_us + period_us, 0, 0
elseif now_us >= ends_us then
  ends_us, current, previous = ends_us + period_us, 0, current
elseif ends_us > now_us + period_us then -- a shorter period, or the clock was set back
  ends_us, is_beyond = now_us + period_us, true
end

local left_us = ends_us - now_us
local estimate, has_rest = scale(previous, left_us, period_us)
estimate = current + estimate + (has_rest and 1 or 0)
local is_room = estimate + cost <= limit

local takes = mode == 'consume' and cost > 0
if takes and is_room then
  current, estimate = current + cost, estimate + cost
end

-- A refusal writes nothing, but for an end that would refuse for too long.
if takes and (is_room or is_beyond) then
  redis.call('HSET', window, 'v', '1', 'e', ends_us, 'c', current, 'p', previous)
  redis.call('PEXPIREAT', window, math.ceil((ends_us + period_us) / 1000))
end

local quiet_us = 0 -- until nothing counts
if current > 0 then
  quiet_us = left_us + period_us
elseif previous > 0 then
  quiet_us = left_us
end
local remaining = limit > estimate and limit - estimate or 0
local reset_after_ms = math.ceil(quiet_us / 1000)
if is_room then
  return {'Allowed', remaining, reset_after_ms}
end

-- The estimate only falls, so the wait ends where it first leaves room: in this window,
-- when previous * left <= room * period, or in the next, where current is the previous.
local room = limit - cost - current
local wait_us
if room >= 0 then
  wait_us = left_us - scale(room, period_us, previous)
else
  wait_us = left_us + period_us - scale(limit - cost, period_us, current)
end
return {'Limited', remaining, math.ceil(wait_us / 1000), reset_after_ms}
