-- LRU index with microsecond scores
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
redis.call('ZADD', KEYS[1], us, ARGV[1])
redis.call('SET', KEYS[2], us .. ':' .. ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], tostring(us))
redis.call('SET', KEYS[4], string.format('%.0f', us))
return cjson.encode({ at = us })
