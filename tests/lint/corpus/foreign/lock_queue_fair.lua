-- fair lock with a waiting list and time-outs
-- KEYS: lock, queue (list), timeouts (zset)
-- ARGV: lease, owner, wait, now
while true do
  local first = redis.call('lindex', KEYS[2], 0)
  if first == false then break end
  local timeout = tonumber(redis.call('zscore', KEYS[3], first))
  if timeout <= tonumber(ARGV[4]) then
    redis.call('zrem', KEYS[3], first)
    redis.call('lpop', KEYS[2])
  else
    break
  end
end

if redis.call('exists', KEYS[1]) == 0
   and (redis.call('exists', KEYS[2]) == 0 or redis.call('lindex', KEYS[2], 0) == ARGV[2]) then
  redis.call('lpop', KEYS[2])
  redis.call('zrem', KEYS[3], ARGV[2])
  local waiting = redis.call('zrange', KEYS[3], 0, -1)
  for i = 1, #waiting do
    redis.call('zincrby', KEYS[3], -tonumber(ARGV[3]), waiting[i])
  end
  redis.call('hset', KEYS[1], ARGV[2], 1)
  redis.call('pexpire', KEYS[1], ARGV[1])
  return nil
end

if redis.call('zscore', KEYS[3], ARGV[2]) ~= false then
  return redis.call('pttl', KEYS[1])
end
redis.call('zadd', KEYS[3], ARGV[4] + ARGV[3], ARGV[2])
redis.call('rpush', KEYS[2], ARGV[2])
return redis.call('pttl', KEYS[1])
