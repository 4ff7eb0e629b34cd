#!lua
-- As many corrections as are remembered, all of them long ago, and about to expire.
-- @call limit=1000 period=60s burst=1000 max_debt=1000 delta=1000 token=<high>
local state, settled = KEYS[1], KEYS[2]

redis.call('SET', state, '4102444800000000', 'PX', 600000)
for at = 1, 64 do
  redis.call('ZADD', settled, at, string.format('%032.0f', at))
end
redis.call('PEXPIRE', settled, 500)
