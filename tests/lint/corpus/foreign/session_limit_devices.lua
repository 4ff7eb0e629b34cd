-- keep at most N sessions for a user, evict the oldest
-- KEYS[1] zset of session keys by last use
local max = tonumber(ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local over = redis.call('ZCARD', KEYS[1]) - max
if over > 0 then
  local victims = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #victims, 2 do
    redis.call('DEL', victims[i])
  end
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
