#!lua
-- Two thousand sessions are over.
local index = KEYS[1]

for at = 1, 2000 do
  redis.call('ZADD', index, 1700000000000, string.format('%064.0f', at))
end
redis.call('PEXPIRE', index, 600000)
