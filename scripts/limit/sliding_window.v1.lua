#!lua
--- Count calls exactly: at most limit of them in any period, wherever it begins.
--
-- Each granted call leaves one entry per unit of cost, which counts until it is a
-- period old; a refused call leaves none. An entry takes up to 130 bytes: for
-- large limits prefer `gcra` or `sliding_window_counter`.
--
-- remaining counts what is left, reset_after is the time until the oldest entry
-- stops counting, and retry_after the time until this call would be granted if
-- nobody else is. `TooLarge` names a cost that limit can never cover.
--
-- Make a new token for each operation. The same token again within a period is
-- `Replayed`: it was granted before and is not counted twice, so a lost reply is
-- harmless. Once its entries are a period old, the token is like a new one.
--
-- When the server's clock is set back, entries from the time that is now to come
-- are moved to the present, 256 with each refused call: they refuse for a period
-- longer, not until the old time has come.
--
-- The log is one sorted set that expires a period after its newest entry. An
-- absent log grants everything: keep it on a server that does not evict.
--
-- @version 1.0.0
-- @key     log         limit:{<subject>}:log zset expires
-- @arg     limit       int 1..4_000
-- @arg     period      us 1_000..31_622_400_000_000
-- @arg     cost        int 1..100 = 1
-- @arg     token       token
-- @returns Allowed     remaining:int reset_after:ms
-- @returns Limited     remaining:int retry_after:ms
-- @returns Replayed    remaining:int
-- @returns TooLarge    limit:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=8 growth=linear n=limit
-- @example three in a minute, and the fourth waits
--   sliding_window subject=user:1 limit=3 period=60s -> Allowed remaining=2 reset_after=60s
--   sliding_window subject=user:1 limit=3 period=60s cost=2 -> Allowed remaining=0 reset_after<=60s
--   sliding_window subject=user:1 limit=3 period=60s -> Limited remaining=0 retry_after<=60s
-- @example the same call again is not counted again
--   sliding_window subject=user:2 limit=3 period=60s token=a -> Allowed remaining=2
--   sliding_window subject=user:2 limit=3 period=60s token=a -> Replayed remaining=2
--   sliding_window subject=user:2 limit=3 period=60s token=b -> Allowed remaining=1
-- @example the same call again is known even where nothing more is granted
--   sliding_window subject=user:5 limit=1 period=60s token=a -> Allowed remaining=0
--   sliding_window subject=user:5 limit=1 period=60s token=a -> Replayed remaining=0
-- @example an entry counts for one period
--   sliding_window subject=user:3 limit=1 period=50ms token=a -> Allowed remaining=0 reset_after=50ms
--   wait 80ms
--   sliding_window subject=user:3 limit=1 period=50ms token=a -> Allowed remaining=0
-- @example what can never be granted is said so
--   sliding_window subject=user:4 limit=3 period=60s cost=4 -> TooLarge limit=3

local log = KEYS[1]
local limit, period_us, cost, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- A call of a function costs the server as much as twenty operations: so `text + 0` stands
-- for tonumber, and commands take numbers, which below 10^17 they write with all digits.
local function integer(text, low, high)
  local number = text and text:find('^%d+$') and text + 0
  return number and number >= low and number <= high and number or nil
end

limit = integer(limit, 1, 4000)
if not limit then
  return redis.error_reply('RLUA_BAD_ARGUMENT limit must be an integer in 1..4000')
end
period_us = integer(period_us, 1000, 31622400000000)
if not period_us then
  return redis.error_reply('RLUA_BAD_ARGUMENT period must be an integer in 1000..31622400000000 us')
end
cost = cost == '1' and 1 or integer(cost, 1, 100)
if not cost then
  return redis.error_reply('RLUA_BAD_ARGUMENT cost must be an integer in 1..100')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

if cost > limit then
  return {'TooLarge', limit}
end

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]

-- An entry is `<token>:<index>` and scored with the time at which it was granted: the
-- first one tells a resend, and entries of one microsecond stay apart.
local first_entry = token .. ':1'
local oldest = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')
if oldest[2] and oldest[2] + 0 <= now_us - period_us then
  redis.call('ZREMRANGEBYSCORE', log, '-inf', now_us - period_us)
  oldest = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')
end
local count = oldest[1] and redis.call('ZCARD', log) or 0

-- A single entry finds out by itself, when it is added, that it was there before.
local excess = count + cost - limit
if count > 0 and (cost > 1 or excess > 0) and redis.call('ZSCORE', log, first_entry) then
  return {'Replayed', limit > count and limit - count or 0}
end

if excess > 0 then
  local now_text = string.format('%.0f', now_us)
  local ahead = redis.call('ZRANGE', log, '(' .. now_text, '+inf', 'BYSCORE', 'LIMIT', 0, 256)
  if #ahead > 0 then
    local moved = {}
    for index = 1, #ahead do
      moved[2 * index - 1], moved[2 * index] = now_text, ahead[index]
    end
    redis.call('ZADD', log, 'XX', unpack(moved))
  end
  -- As many of the oldest entries as are in excess must leave. One that is still ahead
  -- is moved by a later call, and then leaves a period after that.
  local leaving = redis.call('ZRANGE', log, excess - 1, excess - 1, 'WITHSCORES')
  local wait_us = math.min(tonumber(leaving[2]) - now_us, 0) + period_us
  return {'Limited', math.max(limit - count, 0), math.ceil(wait_us / 1000)}
end

if cost == 1 then
  if redis.call('ZADD', log, 'NX', now_us, first_entry) == 0 then
    return {'Replayed', limit - count}
  end
else
  local entries = {}
  for index = 1, cost do
    entries[2 * index - 1], entries[2 * index] = now_us, token .. ':' .. index
  end
  redis.call('ZADD', log, unpack(entries))
end
redis.call('PEXPIREAT', log, math.ceil((now_us + period_us) / 1000))

local oldest_us = oldest[2] and oldest[2] + 0 or now_us
if oldest_us > now_us then
  oldest_us = now_us
end
return {'Allowed', limit - count - cost, math.ceil((oldest_us + period_us - now_us) / 1000)}
