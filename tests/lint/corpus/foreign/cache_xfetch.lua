-- probabilistic early expiration
local key, delta_key = KEYS[1], KEYS[1] .. ':delta'
local beta = ARGV[1] or 1.0
local value = redis.call('GET', key)
local delta = redis.call('GET', delta_key)
local ttl = redis.call('PTTL', key)
if value == nil then
  return {0}
end
if ttl - delta * beta * math.log(math.random()) <= 0 then
  return {0, value}
end
return {1, value}
