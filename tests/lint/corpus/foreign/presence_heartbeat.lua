-- who is online? heartbeat and count in one go
local now = tonumber(ARGV[2])
if now == nil then
  return redis.error_reply('BADTIME heartbeat needs milliseconds')
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - 60000)
redis.call('PEXPIRE', KEYS[1], 120000)
if ARGV[3] == 'list' then
  return redis.call('ZRANGE', KEYS[1], 0, 199)
end
return redis.call('ZCARD', KEYS[1])
