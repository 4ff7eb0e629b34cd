#!lua
-- As many slots as there can be are held, and the owner's moves from the front to the end.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hold=<high>
local leases = KEYS[1]
local owner = ARGV[2]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000

redis.call('UNLINK', leases)
for group = 1, 4 do
  local held = {}
  for place = 1, 1000 do
    held[2 * place - 1] = string.format('%.0f', now_ms + 600000)
    held[2 * place] = string.format('%048d', group * 1000 + place)
  end
  redis.call('ZADD', leases, unpack(held))
end
redis.call('ZADD', leases, string.format('%.0f', now_ms + 60000), owner)
redis.call('PEXPIRE', leases, 600000)
