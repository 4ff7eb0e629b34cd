#!lua
-- A document of the greatest length that the header allows: replaced by another such value
-- under a fence of all digits, or returned to a caller that presents an old version.
-- @call mode=fence expected=9223372036854775807 value=<high> ttl=<high> token=<high>
-- @call mode=match expected=1 value=<high> want_value=true token=<high>
local document = KEYS[1]

redis.call(
  'HSET', document, 'v', '1', 'n', '1700000000000000', 'd', string.rep('x', 262144),
  'f', '1000000000000000000', 'o', string.rep('t', 32)
)
redis.call('PEXPIRE', document, 600000)
