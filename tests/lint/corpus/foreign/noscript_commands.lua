-- "transaction" inside a script
redis.call('WATCH', KEYS[1])
redis.call('MULTI')
redis.call('INCR', KEYS[1])
redis.call('EXEC')
local mem = redis.call('CONFIG', 'GET', 'maxmemory')
redis.call('WAIT', 1, 100)
local job = redis.call('BLPOP', KEYS[2], 5)
redis.call('EVALSHA', ARGV[1], 0)
local size = redis.call('DBSIZE')
return {mem, job, size}
