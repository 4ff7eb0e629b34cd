-- union of all segments given, plus the one of the day
local dest = KEYS[1]
redis.call('SUNIONSTORE', dest, KEYS[2], 'segment:' .. ARGV[1])
redis.call('EXPIRE', dest, 600)
local n = redis.call('SCARD', dest)
local sample = redis.call('SRANDMEMBER', dest, 20)
local common = redis.call('SINTER', KEYS[2], KEYS[3])
return { n, sample, #common }
