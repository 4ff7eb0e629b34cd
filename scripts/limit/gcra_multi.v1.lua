#!lua
--- Take tokens from several limits of one subject at once, from all of them or from none.
--
-- So 10 a second, 500 an hour and 5 000 a day are one call. Each tier is a limiter as in
-- `gcra` with a name of its own, and a cost of its own: one call may take one request and
-- 1 200 tokens. A call that one tier refuses takes nothing from the others.
--
-- `Limited` names the tier that is refused for longest, and when all of them would grant
-- the call if nobody else takes any. `TooLarge` names a tier whose burst can never cover
-- its cost. tiers tells of each what remains, and when it is full again. A subject that
-- `block` shuts out is `Blocked`. mode peek, and costs that are all 0, take nothing and
-- write nothing.
--
-- All callers of a subject pass the same tiers. A tier that is left out is kept as it
-- is, for as long as the others are in use: let names be few, with no dates in them.
--
-- Limits of different subjects, a user's and those of the whole service, lie in different
-- slots: ask for them one after the other, the widest last, and give back with `settle`.
--
-- A call sent again after a lost reply may take its tokens twice, never grant them twice.
-- The state expires when the last tier is full again: an absent key is a full burst of
-- each, so keep limiters on a server that does not evict.
--
-- @version 1.0.0
-- @key     state       limit:{<subject>}:tiers hash expires
-- @key     block       limit:{<subject>}:block string expires
-- @arg     mode        enum(consume, peek) = consume
-- @arg     tiers:(name:str 1..32 limit:int 1..1_000_000_000 period:us 1_000..31_622_400_000_000 burst:int 1..1_000_000_000 cost:int 0..1_000_000_000)... 1..8
-- @returns Allowed     tiers:(name:str remaining:int reset_after:ms)...
-- @returns Limited     tier:str retry_after:ms tiers:(name:str remaining:int reset_after:ms)...
-- @returns TooLarge    tier:str burst:int
-- @returns Blocked     retry_after:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadRate     The arguments, each in its range, make no rate that can be kept.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   state limit-tiers/1
-- @retry   conservative
-- @budget  calls<=9 growth=linear n=tiers
-- @example two a minute and three an hour
--   gcra_multi subject=user:1 tiers=[(m, 2, 60s, 2, 1) (h, 3, 3600s, 3, 1)] -> Allowed
--   gcra_multi subject=user:1 tiers=[(m, 2, 60s, 2, 1) (h, 3, 3600s, 3, 1)] -> Allowed
--   gcra_multi subject=user:1 tiers=[(m, 2, 60s, 2, 1) (h, 3, 3600s, 3, 1)] -> Limited tier=m retry_after<=30s
--   gcra_multi subject=user:1 tiers=[(h, 3, 3600s, 3, 1)] -> Allowed
--   gcra_multi subject=user:1 tiers=[(m, 2, 60s, 2, 1) (h, 3, 3600s, 3, 1)] mode=peek -> Limited tier=h retry_after<=1200s
--   gcra_multi subject=user:1 tiers=[(m, 2, 60s, 2, 0) (h, 3, 3600s, 3, 0)] -> Allowed
-- @example what cannot be
--   gcra_multi subject=user:2 tiers=[(m, 2, 60s, 2, 1) (h, 3, 3600s, 3, 4)] -> TooLarge tier=h burst=3
--   gcra_multi subject=user:2 tiers=[(m, 11, 1ms, 2, 1)] -> error BadRate
--   gcra_multi subject=user:2 tiers=[(m, 1, 366d, 2, 1)] -> error BadRate
--   gcra_multi subject=user:2 tiers=[(m, 2, 60s, 2, 1) (m, 3, 3600s, 3, 1)] -> error BadArgument
--   limit.block subject=user:2 span=60s -> Blocked
--   gcra_multi subject=user:2 tiers=[(m, 2, 60s, 2, 1)] -> Blocked retry_after<=60s

local state, block = KEYS[1], KEYS[2]
local mode, tiers = ARGV[1], ARGV[2]

local LONGEST_US = 31622400000000 -- 366 days
local EXACT = 9007199254740992 -- 2^53: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if mode ~= 'consume' and mode ~= 'peek' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be consume or peek')
end
tiers = integer(tiers, 1, 8)
if not tiers or 2 + 5 * tiers ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT tiers must be the number of rows that follow, 1..8')
end
local names, tokens_us, bursts, costs, fields = {}, {}, {}, {}, {'v'}
local takes = false
for row = 1, tiers do
  local at = 5 * row - 2
  local name, limit, period_us = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if #name < 1 or #name > 32 or names[name] then
    return redis.error_reply('RLUA_BAD_ARGUMENT name must be 1 to 32 bytes, and each another one')
  end
  limit = integer(limit, 1, 1000000000)
  period_us = integer(period_us, 1000, LONGEST_US)
  local burst, cost = integer(ARGV[at + 3], 1, 1000000000), integer(ARGV[at + 4], 0, 1000000000)
  if not limit or not period_us or not burst or not cost then
    return redis.error_reply(
      'RLUA_BAD_ARGUMENT limit, period, burst and cost must be integers in their ranges'
    )
  end
  -- As in `gcra`: a whole number of microseconds for each token loses at most 1 %.
  if limit * 100 > period_us then
    return redis.error_reply('RLUA_BAD_RATE limit is more than one token per 100 us')
  end
  if burst * period_us > LONGEST_US * limit then
    return redis.error_reply('RLUA_BAD_RATE burst takes more than 366 days to refill')
  end
  names[name], names[row] = true, name
  tokens_us[row], bursts[row], costs[row] = math.ceil(period_us / limit), burst, cost
  fields[row + 1] = 't:' .. name
  takes = takes or mode == 'consume' and cost > 0
end
for row = 1, tiers do
  if costs[row] > bursts[row] then
    return {'TooLarge', names[row], bursts[row]}
  end
end

local stored = redis.call('HMGET', state, unpack(fields))
if stored[1] then
  if stored[1] ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the tiers are not in format 1')
  end
elseif redis.call('EXISTS', state) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the tiers have no format number')
end
redis.call('STRLEN', block) -- refuses a key of another type
local blocked_ms = redis.call('PTTL', block)
if blocked_ms > 0 then
  return {'Blocked', blocked_ms}
end

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- As in `gcra`, of each tier: when it is full again, no later than its ceiling.
local fulls_us, is_beyond = {}, false
local longest_us, refused = 0, nil
for row = 1, tiers do
  local text = stored[row + 1]
  local full_us = text and integer(text, 0, EXACT - 1)
  if text and not full_us then
    return redis.error_reply('RLUA_BAD_STATE a stored time is not an integer below 2^53')
  end
  full_us = math.max(full_us or 0, now_us)
  local ceiling_us = now_us + bursts[row] * tokens_us[row]
  if full_us > ceiling_us then
    full_us, is_beyond = ceiling_us, true
  end
  fulls_us[row] = full_us
  local wait_us = full_us + costs[row] * tokens_us[row] - ceiling_us
  if wait_us > longest_us then
    longest_us, refused = wait_us, names[row]
  end
end

if takes and (not refused or is_beyond) then
  local written, ends_us = {'v', '1'}, 0
  for row = 1, tiers do
    if not refused then
      fulls_us[row] = fulls_us[row] + costs[row] * tokens_us[row]
    end
    written[#written + 1] = fields[row + 1]
    written[#written + 1] = string.format('%.0f', fulls_us[row])
    ends_us = math.max(ends_us, fulls_us[row])
  end
  redis.call('HSET', state, unpack(written))
  local ends_at_ms = math.ceil(ends_us / 1000)
  if redis.call('PEXPIRETIME', state) < ends_at_ms then
    redis.call('PEXPIREAT', state, string.format('%.0f', ends_at_ms))
  end
end

local reply = refused and {'Limited', refused, math.ceil(longest_us / 1000)} or {'Allowed'}
for row = 1, tiers do
  local left_us = now_us + bursts[row] * tokens_us[row] - fulls_us[row]
  reply[#reply + 1] = names[row]
  reply[#reply + 1] = math.max(math.floor(left_us / tokens_us[row]), 0)
  reply[#reply + 1] = math.ceil((fulls_us[row] - now_us) / 1000)
end
return reply
