#!lua
-- The user has two thousand sessions, one of which is kept.
-- @call keep=0000000000000000000000000000000000000000000000000000000000000007
local index = KEYS[1]

for at = 1, 2000 do
  redis.call('ZADD', index, 4102444800000, string.format('%064.0f', at))
end
redis.call('PEXPIRE', index, 600000)
