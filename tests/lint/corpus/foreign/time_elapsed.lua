-- spin until the lock is free or the time is over
local start = redis.call('TIME')
local deadline = start[1] * 1000 + ARGV[1]
while redis.call('EXISTS', KEYS[1]) == 1 do
  local t = redis.call('TIME')
  if t[1] * 1000 > deadline then
    return 'TIMEOUT'
  end
end
local finish = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[2], 'PX', 1000)
return finish[1] - start[1]
