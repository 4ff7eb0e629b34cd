#!lua
-- n dead jobs, with as much payload as one page gives out.
-- @call count=100
local jobs, dead = KEYS[1], KEYS[2]
local n = tonumber(ARGV[1])

local payload = string.char(32) .. string.rep('t', 32)
payload = payload .. string.rep('x', math.min(math.floor(98304 / n), 65536))

redis.call('UNLINK', jobs, dead)
redis.call('HSET', jobs, 'v', '1')
for index = 1, n do
  local id = string.format('%064d', index)
  redis.call('HSET', jobs, 'p:' .. id, payload, 's:' .. id, '1000:1:' .. string.rep('r', 48))
  redis.call('ZADD', dead, index, id)
end
