local tokens_key = KEYS[1]

local rate = tonumber(ARGV[1])
local capacity = tonumber(ARGV[2])
local now = tonumber(ARGV[3])
local requested = tonumber(ARGV[4])

local fill_time = capacity / rate
local ttl = fill_time * 2

local state = redis.call('HMGET', tokens_key, 'tokens', 'ts')
local last_tokens = tonumber(state[1])
local last_refreshed = tonumber(state[2])
if last_tokens == nil then
  last_tokens = capacity
end

local delta = math.max(0, now - last_refreshed)
local filled = math.min(capacity, last_tokens + delta * rate)
local allowed = filled >= requested
local new_tokens = filled
if allowed then
  new_tokens = filled - requested
end

redis.call('HMSET', tokens_key, 'tokens', new_tokens, 'ts', now)
redis.call('EXPIRE', tokens_key, ttl)
return { allowed, new_tokens }
