#!lua
-- The receipt holds as many jobs as one claim gives out, among many others.
-- @call receipt=<high> lease=<high>
local inflight, jobs, claims = KEYS[1], KEYS[2], KEYS[3]
local receipt = ARGV[2]

redis.call('HSET', jobs, 'v', '1')
for index = 1, 1000 do
  local id = string.format('%064d', index)
  local holder = index <= 100 and receipt or string.format('%048d', index)
  redis.call('ZADD', inflight, index, id)
  redis.call('ZADD', claims, 0, string.format('%02d', #holder) .. holder .. id)
end
