-- have we seen this message? KEYS[1] set, ARGV[1] id, ARGV[2] ttl
if redis.call('SADD', KEYS[1], ARGV[1]) then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  return 'new'
end
return 'duplicate'
