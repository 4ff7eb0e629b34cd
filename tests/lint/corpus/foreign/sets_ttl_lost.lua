-- cached counter with a reset
local v = redis.call('GET', KEYS[1])
if not v then
  redis.call('SET', KEYS[1], 0, 'EX', 60)
  v = '0'
end
if redis.call('TTL', KEYS[1]) < 5 then
  redis.call('EXPIRE', KEYS[1], 60)
end
local nextv = v + 1
redis.call('SET', KEYS[1], nextv)
return nextv
