-- saves a profile
local key = KEYS[1]
redis.call('HSET', key, 'name', ARGV[1], 'mail')
redis.call('EXPIRE', key)
redis.call('MSET', KEYS[2], ARGV[2], KEYS[3])
redis.call('SADD', KEYS[4])
redis.call('HSET', key, 'admin', ARGV[3] == 'yes')
redis.call('SETEXX', key, 1)
redis.call('ZADD', KEYS[4], 'NX', 1, ARGV[1])
redis.call('SET', KEYS[5], nil)
return redis.call('HGET', key, 'name', 'mail')
