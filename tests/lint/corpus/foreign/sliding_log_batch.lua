-- Records a batch of hits at once and says which of them were allowed.
local key, now, window, max = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

redis.call('zremrangebyscore', key, 0, now - window)

local hits = {}
for i = 4, #ARGV do
  hits[#hits + 1] = now
  hits[#hits + 1] = ARGV[i]
end

local before = #redis.call('zrange', key, 0, -1)
if before + #hits / 2 > max then
  return redis.error_reply('too many hits')
end

redis.call('zadd', key, unpack(hits))
redis.call('expire', key, window / 1000)
return before + #hits / 2
