#!lua
-- Ten thousand jobs wait, half of them ready.
local due, inflight, dead = KEYS[1], KEYS[2], KEYS[3]

for index = 1, 10000 do
  local at = index <= 5000 and index or 4102444800000 + index
  redis.call('ZADD', due, at, string.format('%064d', index))
end
redis.call('ZADD', inflight, 4102444800000, 'claimed')
redis.call('ZADD', dead, 1, 'dead')
