#!lua
--- Tell the first caller of a key from all later ones, until ttl is over.
--
-- For what may arrive twice and must be done once: webhooks, messages, clicks. The
-- first caller gets `First` and its value is kept; everybody else gets `Seen`, with
-- that value and the time since then. ttl runs from the first call and is not
-- prolonged by later ones. After it the key is like a new one.
--
-- Make a new token for each event that arrives. The call that was first, sent again
-- with its token, gets `Replayed`: it is still the first, and a lost reply is
-- harmless. A worker that passes a token of its own, the name of its delivery for
-- instance, may so begin again after it was interrupted.
--
-- A claim is not given back: what was claimed by a worker that died is not done by
-- anybody else before ttl is over. Where the work must be done in the end, or its
-- result repeated, use the scripts of `idempotency`.
--
-- The state is one string that expires with ttl. An absent key lets the next caller
-- be first: keep it on a server that does not evict.
--
-- @version 1.0.0
-- @key     claim       once:{<key>}:claim string expires
-- @arg     ttl         ms 1..31_622_400_000
-- @arg     value       bytes 1..4_096 = none
-- @arg     token       token
-- @returns First
-- @returns Seen        value:bytes age:ms
-- @returns Replayed    value:bytes age:ms
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example a webhook that is delivered twice is handled once
--   claim key=evt:1 ttl=86400000ms value=worker-1 -> First
--   claim key=evt:1 ttl=86400000ms value=worker-2 -> Seen value=worker-1 age<=60000ms
-- @example the same call again is still the first
--   claim key=evt:2 ttl=86400000ms value=worker-1 token=a -> First
--   claim key=evt:2 ttl=86400000ms value=worker-1 token=a -> Replayed value=worker-1
--   claim key=evt:2 ttl=86400000ms token=b -> Seen value=worker-1
-- @example a claim lasts as long as its ttl
--   claim key=evt:3 ttl=20ms -> First
--   wait 50ms
--   claim key=evt:3 ttl=20ms -> First

local claim = KEYS[1]
local ttl_ms, value, token = ARGV[1], ARGV[2], ARGV[3]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
if not value or #value > 4096 then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 4096 bytes')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- The state is `<ms>:<bytes of the token>:<token><value>`: both may hold any byte.
local stored = redis.call('GET', claim)
if not stored then
  local head = string.format('%.0f:%d:', now_ms, #token)
  redis.call('SET', claim, head .. token .. value, 'PX', string.format('%.0f', ttl_ms))
  return {'First'}
end

local first_ms, size, head_size = stored:match('^(%d+):(%d%d?):()')
first_ms, size = integer(first_ms, 0, 9007199254740991), integer(size, 1, 32)
if not first_ms or not size or #stored < head_size - 1 + size then
  return redis.error_reply('RLUA_BAD_STATE the claim is not `<ms>:<bytes>:<token><value>`')
end
local owner = stored:sub(head_size, head_size + size - 1)
local kept = stored:sub(head_size + size)
local age_ms = math.max(now_ms - first_ms, 0) -- the clock may have been set back
return {owner == token and 'Replayed' or 'Seen', kept, age_ms}
