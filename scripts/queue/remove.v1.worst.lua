#!lua
-- A job of the longest payload that somebody holds, the last of its queue.
-- @call id=<high>
local inflight, jobs, claims = KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[2]

local receipt = string.rep('r', 48)
local payload = string.char(32) .. string.rep('t', 32) .. string.rep('x', 65536)
redis.call('HSET', jobs, 'v', '1', 'p:' .. id, payload, 's:' .. id, '1000:1:' .. receipt)
redis.call('ZADD', inflight, 4102444800000, id)
redis.call('ZADD', claims, 0, '48' .. receipt .. id)
