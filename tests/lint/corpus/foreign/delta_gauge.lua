-- gauge with a history of deltas
local prev = tonumber(redis.call('GET', KEYS[1]))
local cur = tonumber(ARGV[1])
local delta = cur - prev
redis.call('SET', KEYS[1], cur)
redis.call('RPUSH', KEYS[2], string.format('%.3f', delta))
redis.call('LTRIM', KEYS[2], -100, -1)
local sum = 0
for _, d in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  sum = sum + d
end
return tostring(sum / 100)
