#!lua
-- The user has a hundred times as many sessions as are asked for, and the last are asked for.
-- @call offset=0 count=100
local index = KEYS[1]

for at = 1, 100 * tonumber(ARGV[1]) do
  redis.call('ZADD', index, 4102444800000, string.format('%064.0f', at))
end
redis.call('PEXPIRE', index, 600000)
