-- Called as: EVAL script 3 <key> <max> <seconds>
local counter = KEYS[1]
local max = tonumber(KEYS[2])
local seconds = KEYS[3]

local seen = tonumber(redis.call('get', counter) or '0')
if seen >= max then
  return {max, redis.call('ttl', counter)}
end

redis.call('incr', counter)
if seen == 0 then
  redis.call('expire', counter, seconds)
end
return {seen + 1, redis.call('ttl', counter)}
