#!lua
-- The job dies, and with it go as many dead ones as one call drops, each of the longest
-- payload. With keep_dead=10000 nothing is dropped, since the job is due again.
-- @call id=<high> receipt=<high> delay=<low> max_attempts=1 keep_dead=0
-- @call id=<high> receipt=<high> delay=<low> max_attempts=1000000 keep_dead=10000
local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, receipt = ARGV[2], ARGV[3]

local payload = string.char(32) .. string.rep('t', 32) .. string.rep('x', 65536)
local later = 4102444800000

redis.call('HSET', jobs, 'v', '1', 'p:' .. id, payload, 's:' .. id, '1000:1:' .. receipt)
redis.call('ZADD', inflight, later, id)
redis.call('ZADD', claims, 0, string.format('%02d', #receipt) .. receipt .. id)
redis.call('ZADD', due, later, 'somewhat later')
for index = 1, 200 do
  local other = string.format('%064d', index)
  redis.call('HSET', jobs, 'p:' .. other, payload, 's:' .. other, '1:1:' .. receipt)
  redis.call('ZADD', dead, index, other)
end
