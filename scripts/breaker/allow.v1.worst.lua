#!lua
-- An open circuit whose time is over, and whose last probe reported nothing.
local circuit = KEYS[1]

redis.call(
  'HSET', circuit, 'v', '1', 'u', '1700000000000', 'o', '1700000000000', 'n', '9',
  'p', string.rep('p', 47), 'a', '1700000000000', 'e', '1700000000001'
)
redis.call('PEXPIRE', circuit, 600000)
