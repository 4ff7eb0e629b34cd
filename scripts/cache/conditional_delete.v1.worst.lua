#!lua
-- A document of the greatest length that `conditional_update` stores, and a fence of all digits.
-- @call mode=fence expected=9223372036854775807
local document = KEYS[1]

redis.call(
  'HSET', document, 'v', '1', 'n', '1700000000000000', 'd', string.rep('x', 262144),
  'f', '1000000000000000000', 'o', string.rep('t', 32)
)
redis.call('PEXPIRE', document, 600000)
