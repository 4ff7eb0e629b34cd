-- join a room
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('LPUSH', KEYS[1], ARGV[1] .. ' joined')
if redis.call('TYPE', KEYS[2]) == 'set' then
  redis.call('SREM', KEYS[2], ARGV[1])
end
redis.call('HSET', KEYS[3], 'last', ARGV[2])
redis.call('EXPIRE', KEYS[3], 3600)
return redis.call('SCARD', KEYS[1])
