-- Token bucket, server clock, integers only.
-- KEYS[1] bucket   ARGV[1] capacity  ARGV[2] refill per second  ARGV[3] cost
local capacity = tonumber(ARGV[1])
local per_second = tonumber(ARGV[2])
local cost = tonumber(ARGV[3]) or 1

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(bucket[1] or capacity)
local at = tonumber(bucket[2]) or now

level = math.min(capacity, level + (now - at) * per_second / 1000)
local granted = 0
if level >= cost then
  level = level - cost
  granted = 1
end

redis.call('HSET', KEYS[1], 'level', level, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / per_second * 1000))
return { granted, math.floor(level) }
