-- leader election with a fencing token
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
  return { 0, leader, redis.call('PTTL', KEYS[1]) }
end
local token
if leader then
  token = redis.call('GET', KEYS[2])
else
  token = redis.call('INCR', KEYS[2])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 1, ARGV[1], tonumber(token) }
