-- KEYS[1] entry   ARGV[1] value, ARGV[2] ttl, ARGV[3..] tags
local ttl = tonumber(ARGV[2])
redis.call('SETEX', KEYS[1], ttl, ARGV[1])

for i = 3, #ARGV do
  local tag_key = 'tag:' .. ARGV[i]
  redis.call('SADD', tag_key, KEYS[1])
  if redis.call('TTL', tag_key) < ttl then
    redis.call('EXPIRE', tag_key, ttl)
  end
end
return 1
