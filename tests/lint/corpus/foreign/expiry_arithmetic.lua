-- extend by half of the lease, jitter on top
local lease = tonumber(ARGV[1])
local token = redis.call('GET', KEYS[1])
if token ~= ARGV[2] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], lease * 1.5)
redis.call('EXPIRE', KEYS[2], math.floor(lease / 1000) + 1)
redis.call('SETRANGE', KEYS[3], lease % 10, 'x')
redis.call('EXPIRE', KEYS[3], ARGV[3] / 2)
return 1
