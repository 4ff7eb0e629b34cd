-- notify and bump, whatever happens
redis.pcall('PUBLISH', KEYS[2], ARGV[1])
local v = redis.pcall('INCR', KEYS[1])
if v > 100 then
  redis.call('SET', KEYS[1], 0)
end
local profile = redis.pcall('HGETALL', KEYS[3])
return {v, #profile}
