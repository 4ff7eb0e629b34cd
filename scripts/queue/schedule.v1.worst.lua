#!lua
-- A job of the longest payload, which somebody holds, is replaced by another such job, due
-- before all others; or is left as it is.
-- @call id=<high> payload=<high> mode=replace token=<high>
-- @call id=<high> payload=<high> mode=if_absent token=<high>
local due, inflight, jobs, claims = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[2]

local receipt = string.rep('r', 48)
local payload = string.char(31) .. string.rep('t', 31) .. string.rep('y', 65536)
redis.call('HSET', jobs, 'v', '1', 'p:' .. id, payload, 's:' .. id, '1000:1:' .. receipt)
redis.call('ZADD', inflight, 4102444800000, id)
redis.call('ZADD', claims, 0, '48' .. receipt .. id)
for index = 1, 1000 do
  redis.call('ZADD', due, 4102444800000 + index, string.format('%063d', index))
end
