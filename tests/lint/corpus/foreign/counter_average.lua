-- running average of a metric
local sum = redis.call('HINCRBYFLOAT', KEYS[1], 'sum', ARGV[1])
local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
local avg = sum / n

local max = redis.call('HGET', KEYS[1], 'max')
if max < ARGV[1] then
  redis.call('HSET', KEYS[1], 'max', ARGV[1])
end
return avg
