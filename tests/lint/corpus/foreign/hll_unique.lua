-- unique visitors per hour, merged for the day
local added = redis.call('PFADD', KEYS[1], ARGV[1])
if added == 1 then
  redis.call('EXPIRE', KEYS[1], 7200)
end
redis.call('PFMERGE', KEYS[2], KEYS[2], KEYS[1])
redis.call('EXPIRE', KEYS[2], 172800)
return redis.call('PFCOUNT', KEYS[2])
