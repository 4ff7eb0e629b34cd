#!lua
-- A value of the greatest length that the header allows is replaced by another one, and a
-- lease goes.
-- @call value=<high> soft=<high> hard=<high>
local entry, lease = KEYS[1], KEYS[2]

redis.call(
  'HSET', entry, 'v', '1', 'd', string.rep('y', 262144), 's', '1', 'x', '600000', 'n', '0',
  't', '1', 'o', string.rep('o', 48)
)
redis.call('PEXPIRE', entry, 600000)
redis.call('SET', lease, string.rep('o', 48), 'PX', 600000)
