-- value, or the right to compute it
local value = redis.call('GET', KEYS[1])
if value then
  return { 'HIT', value }
end
local won = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
if won then
  return { 'FILL', '' }
end
return { 'WAIT', redis.call('PTTL', KEYS[2]) }
