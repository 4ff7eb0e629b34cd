-- minute and hour quota at once; both keys declared
local minute, hour = KEYS[1], KEYS[2]
local cost = tonumber(ARGV[1]) or 1
local used = redis.call('MGET', minute, hour)
local m = tonumber(used[1] or '0') + cost
local h = tonumber(used[2] or '0') + cost
if m > tonumber(ARGV[2]) or h > tonumber(ARGV[3]) then
  return { 0, m - cost, h - cost }
end
if redis.call('INCRBY', minute, cost) == cost then
  redis.call('EXPIRE', minute, 60)
end
if redis.call('INCRBY', hour, cost) == cost then
  redis.call('EXPIRE', hour, 3600)
end
return { 1, m, h }
