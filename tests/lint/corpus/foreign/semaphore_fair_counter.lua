-- Fair semaphore after the book: KEYS[1] = base name
local base = KEYS[1]
local id = ARGV[1]
local limit = ARGV[2]
local timeout = tonumber(ARGV[3])

local t = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', base, '-inf', t[1] - timeout)
redis.call('ZINTERSTORE', base .. ':owner', 2, base .. ':owner', base, 'WEIGHTS', 1, 0)

local ctr = redis.call('INCR', base .. ':counter')
redis.call('ZADD', base, t[1], id)
redis.call('ZADD', base .. ':owner', ctr, id)

local rank = redis.call('ZRANK', base .. ':owner', id)
if rank < limit then
  return rank
end
redis.call('ZREM', base, id)
redis.call('ZREM', base .. ':owner', id)
return -1
