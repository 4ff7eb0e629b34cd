-- built by a string formatter in the application
local key = 'quota:%s'
local used = redis.call('INCRBY', '${prefix}:used', ARGV[1])
redis.call('EXPIRE', key, {ttl})
local text = string.format('%s used %d', KEYS[1], used)
return text
