#!lua
-- Many failures, the last of which is another's.
local failures = KEYS[1]

redis.call(
  'SET', failures, '999999:1700000000000:4102444800000:' .. string.rep('o', 32), 'PX', 600000
)
