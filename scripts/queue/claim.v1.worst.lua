#!lua
-- n leases are over, and n more jobs are due, with as much payload as one claim gives out: the
-- jobs whose leases are over are claimed. For the receipt `held` the call is sent again, and
-- all of its jobs are found; for `due` no lease is over. With keep_dead=0 the jobs are dead
-- instead, and dropped with others that are: each of the longest payload.
-- @call receipt=new lease=<high> count=100
-- @call receipt=held lease=<high> count=100
-- @call receipt=due lease=<high> count=100
-- @call receipt=rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr lease=<high> count=100 max_attempts=1 keep_dead=0
local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local n, receipt, keep_dead = tonumber(ARGV[1]), ARGV[2], ARGV[6]

local head = string.char(32) .. string.rep('t', 32)
local ready = head .. string.rep('x', math.min(math.floor(98304 / n), 65536))
local long = keep_dead == '0' and head .. string.rep('x', 65536) or ready
local holder = receipt == 'held' and receipt or string.rep('h', 48)
local mark = string.format('%02d', #holder) .. holder

redis.call('UNLINK', due, inflight, jobs, claims, dead)
redis.call('HSET', jobs, 'v', '1')
for index = 1, n do
  local id = string.format('%064d', index)
  local state = string.format('1:%.0f:', index) .. holder
  redis.call('HSET', jobs, 'p:' .. id, long, 's:' .. id, state)
  redis.call('ZADD', inflight, receipt == 'due' and 4102444800000 or index, id)
  redis.call('ZADD', claims, 0, mark .. id)
  id = string.format('d%063d', index)
  redis.call('HSET', jobs, 'p:' .. id, ready, 's:' .. id, state)
  redis.call('ZADD', due, index, id)
end
for index = 1, keep_dead == '0' and 128 or 0 do
  local id = string.format('x%063d', index)
  redis.call('HSET', jobs, 'p:' .. id, long, 's:' .. id, '1:1:' .. holder)
  redis.call('ZADD', dead, index, id)
end
