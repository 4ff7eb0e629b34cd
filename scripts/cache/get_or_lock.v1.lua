#!lua
--- Return the cached value, or elect one caller to fetch it.
--
-- On a miss one caller gets `Fill` and with it the lease: it fetches the value
-- and calls `fill`, or `abandon` when it cannot. Everybody else gets `Wait`.
-- Past its soft expiry a value is still served: one caller gets `Refresh`
-- (serve this, then fetch and `fill`), the others `Stale`. With allow_stale
-- off, such a value counts as absent for the caller: `Fill` or `Wait`.
-- `Negative` is a cached absence; past its soft expiry one caller gets `Fill`.
--
-- A caller may be chosen to refresh a value that is still fresh, with a
-- probability that grows as the soft expiry comes near and with the time that
-- the last fetch took: XFetch, "Optimal Probabilistic Cache Stampede
-- Prevention", Vattani, Chierichetti, Lowenstein, 2015. beta_ppm is its beta in
-- millionths; draw_ppm is the caller's own uniform draw from 1 to 1000000, the
-- default of which never refreshes early.
--
-- Make a new owner for each attempt to fetch. The owner that holds the lease
-- gets the same answer when it asks again, and its hold starts anew: a lost
-- reply is harmless, and a slow fetch can be prolonged. A lease whose holder
-- died is free after hold. retry_after is an upper bound, since `fill`,
-- `abandon` and `invalidate` publish to the key's channel. fails counts the
-- `abandon` calls since the last value; they are forgotten 60 seconds after
-- the cooldown when nobody asks. fetching tells whether somebody holds the lease:
-- if not, the last fetch has failed and nobody may try again before retry_after.
--
-- @version 1.0.0
-- @key     entry       cache:{<key>}:entry hash expires
-- @key     lease       cache:{<key>}:lease string expires
-- @arg     owner       owner
-- @arg     hold        ms 1..600_000
-- @arg     beta_ppm    int 0..100_000_000 = 1_000_000
-- @arg     draw_ppm    int 1..1_000_000 = 1_000_000
-- @arg     allow_stale bool = true
-- @returns Hit         value:bytes age:ms fresh_for:ms
-- @returns Stale       value:bytes age:ms
-- @returns Refresh     value:bytes age:ms
-- @returns Fill
-- @returns Wait        retry_after:ms fails:int fetching:bool
-- @returns Negative    fresh_for:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=6 growth=1
-- @example one caller fetches, the others wait and are then served
--   get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   get_or_lock key=user:1 owner=b hold=5000ms -> Wait retry_after<=5000ms fetching=true
--   cache.fill key=user:1 owner=a value=Ada soft=60000ms hard=90000ms -> Stored
--   get_or_lock key=user:1 owner=b hold=5000ms -> Hit value=Ada age>=0ms fresh_for<=60000ms
-- @example a stale value is served while one caller refreshes it
--   get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   cache.fill key=user:2 owner=a value=Bob soft=1ms hard=60000ms -> Stored
--   wait 20ms
--   get_or_lock key=user:2 owner=b hold=5000ms -> Refresh value=Bob age>=10ms
--   get_or_lock key=user:2 owner=c hold=5000ms -> Stale value=Bob age>=10ms
--   get_or_lock key=user:2 owner=c hold=5000ms allow_stale=false -> Wait retry_after<=5000ms
-- @example an absence is cached too
--   get_or_lock key=user:3 owner=a hold=5000ms -> Fill
--   cache.fill key=user:3 owner=a value='' soft=60000ms hard=60000ms negative=true -> Stored
--   get_or_lock key=user:3 owner=b hold=5000ms -> Negative fresh_for<=60000ms
-- @example a failed fetch holds everybody back for its cooldown
--   get_or_lock key=user:4 owner=a hold=5000ms -> Fill
--   cache.abandon key=user:4 owner=a cooldown=1000ms -> Released fails=1
--   get_or_lock key=user:4 owner=b hold=5000ms -> Wait fails=1 fetching=false
-- @example a value is refreshed early when the draw is low and the fetch is slow
--   get_or_lock key=user:5 owner=a hold=5000ms -> Fill
--   cache.fill key=user:5 owner=a value=Eve soft=60000ms hard=90000ms cost=10000ms -> Stored
--   get_or_lock key=user:5 owner=b hold=5000ms allow_stale=false draw_ppm=1 -> Refresh value=Eve
--   get_or_lock key=user:5 owner=c hold=5000ms draw_ppm=1 -> Hit value=Eve fresh_for<=60000ms
-- @example so is an absence, with Fill for the one that refreshes
--   get_or_lock key=user:6 owner=a hold=5000ms -> Fill
--   cache.fill key=user:6 owner=a value='' soft=60000ms hard=90000ms cost=10000ms negative=true -> Stored
--   get_or_lock key=user:6 owner=b hold=5000ms draw_ppm=1 -> Fill
--   get_or_lock key=user:6 owner=c hold=5000ms draw_ppm=1 -> Negative fresh_for<=60000ms

local entry, lease = KEYS[1], KEYS[2]
local owner, hold_ms, beta_ppm, draw_ppm, allow_stale =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local LONGEST_MS = 600000 -- of a hold and of a cooldown
local REMEMBER_MS = 60000 -- that a failure count outlives its cooldown, as in `abandon`

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 or owner:sub(1, 1) == '!' then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes and not begin with !')
end
hold_ms = integer(hold_ms, 1, LONGEST_MS)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..600000 ms')
end
beta_ppm = integer(beta_ppm, 0, 100000000)
if not beta_ppm then
  return redis.error_reply('RLUA_BAD_ARGUMENT beta_ppm must be an integer in 0..100000000')
end
draw_ppm = integer(draw_ppm, 1, 1000000)
if not draw_ppm then
  return redis.error_reply('RLUA_BAD_ARGUMENT draw_ppm must be an integer in 1..1000000')
end
if allow_stale ~= '0' and allow_stale ~= '1' then
  return redis.error_reply('RLUA_BAD_ARGUMENT allow_stale must be 0 or 1')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local stored = redis.call('HMGET', entry, 'v', 'd', 's', 'x', 'n', 't')
local format, value, negative = stored[1], stored[2], stored[5] == '1'
local soft_at_ms, cost_ms, stored_at_ms =
  tonumber(stored[3]), tonumber(stored[4]), tonumber(stored[6])
if not format then
  if redis.call('EXISTS', entry) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the entry has no format number')
  end
elseif format ~= '1' or not (value and soft_at_ms and cost_ms and stored_at_ms) then
  return redis.error_reply('RLUA_BAD_STATE the entry is not in format 1')
end

local age_ms, fresh_for_ms = 0, 0
if format and now_ms >= stored_at_ms then
  age_ms = now_ms - stored_at_ms
  fresh_for_ms = math.max(soft_at_ms - now_ms, 0)
end -- else the clock was set back: its age is unknown, so it counts as no longer fresh
if fresh_for_ms > 0 then
  local early_ms = -cost_ms * (beta_ppm / 1000000) * math.log(draw_ppm / 1000000)
  if early_ms < fresh_for_ms then
    if negative then
      return {'Negative', fresh_for_ms}
    end
    return {'Hit', value, age_ms, fresh_for_ms}
  end
end

-- The lease is `owner`, `!<fails>+<owner>` when held after failures, or
-- `!<fails>:<owner>` when nobody holds it after that owner's failure.
local held = redis.call('GET', lease)
local fails, mark, holder = '0', '+', held
if held and held:sub(1, 1) == '!' then
  fails, mark, holder = held:match('^!(%d+)([+:])(.+)$')
  if not fails then
    return redis.error_reply('RLUA_BAD_STATE the lease is neither held nor cooling down')
  end
end

local retry_after_ms = -1
if held and not (mark == '+' and holder == owner) then
  retry_after_ms = redis.call('PTTL', lease) - (mark == ':' and REMEMBER_MS or 0)
end

-- Beyond the longest span the lease was never granted so: the clock was set back,
-- or something took its expiry away. Either would lock everybody out.
if retry_after_ms < 0 or retry_after_ms > LONGEST_MS then
  redis.call('SET', lease, fails == '0' and owner or '!' .. fails .. '+' .. owner, 'PX', hold_ms)
  if format and not negative and (fresh_for_ms > 0 or allow_stale == '1') then
    return {'Refresh', value, age_ms}
  end
  return {'Fill'}
end

if format and (fresh_for_ms > 0 or allow_stale == '1') then
  if negative then
    return {'Negative', fresh_for_ms}
  end
  if fresh_for_ms > 0 then
    return {'Hit', value, age_ms, fresh_for_ms}
  end
  return {'Stale', value, age_ms}
end
return {'Wait', math.max(retry_after_ms, 1), tonumber(fails), mark == '+' and 1 or 0}
