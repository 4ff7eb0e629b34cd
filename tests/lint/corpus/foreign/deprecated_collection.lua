-- written in 2013
redis.call('SETEX', KEYS[1], 60, ARGV[1])
local old = redis.call('GETSET', KEYS[2], ARGV[1])
redis.call('RPOPLPUSH', KEYS[3], KEYS[4])
local part = redis.call('SUBSTR', KEYS[1], 0, 3)
local n = table.getn(ARGV)
local top = redis.call('ZREVRANGE', KEYS[5], 0, 2)
redis.call('SLAVEOF', 'NO', 'ONE')
return {old, part, n, top}
