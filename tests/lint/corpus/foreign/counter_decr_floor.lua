-- decrement, never below zero
local v = redis.call('GET', KEYS[1])
local by = tonumber(ARGV[1]) or 1
local n = tonumber(v or '0')
if n - by < 0 then
  redis.call('SET', KEYS[1], 0, 'KEEPTTL')
  return 0
end
return redis.call('DECRBY', KEYS[1], by)
