#!lua
-- A burst that others began, with a value of the greatest length.
local pending = KEYS[1]

redis.call(
  'HSET', pending, 'v', '1', 'f', '1700000000000', 'l', '1700000000001', 'q', '1700000000002',
  'c', '9', 'd', string.rep('x', 4096), 'o', string.rep('o', 32)
)
redis.call('PEXPIRE', pending, 600000)
