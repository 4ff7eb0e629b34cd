-- Fixed window limiter.
-- KEYS[1] counter key (already contains the window number)
-- ARGV[1] limit
-- ARGV[2] window length in seconds
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2])

local current = redis.call('INCR', KEYS[1])
if current == 1 then
  redis.call('EXPIRE', KEYS[1], window)
end

if current > limit then
  local ttl = redis.call('TTL', KEYS[1])
  return { 0, current, ttl }
end
return { 1, current, 0 }
