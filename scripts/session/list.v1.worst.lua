#!lua
-- The user has ten thousand sessions, and the last of them are asked for.
-- @call offset=9900 count=100
local index = KEYS[1]

for at = 1, 10000 do
  redis.call('ZADD', index, 4102444800000, string.format('%064.0f', at))
end
redis.call('PEXPIRE', index, 600000)
