-- per-field expiry and friends
local k = KEYS[1]
redis.call('HSET', k, ARGV[1], ARGV[2])
redis.call('HEXPIRE', k, 60, 'FIELDS', 1, ARGV[1])
local old = redis.call('SET', KEYS[2], ARGV[2], 'GET', 'EX', 60)
local v = redis.call('GETEX', KEYS[2], 'PERSIST')
redis.call('EXPIRE', KEYS[2], 60, 'NX')
local popped = redis.call('LMPOP', 1, KEYS[3], 'LEFT', 'COUNT', 2)
redis.call('DELIFEQ', KEYS[4], ARGV[3])
return {v, popped and #popped[2] or 0}
