#!lua
-- The request has ended with the longest response. For a fingerprint of x alone its last owner
-- died, so that it is taken over.
-- @call owner=<high> hold=<high> ttl=<high> fingerprint=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
-- @call owner=<high> hold=<high> ttl=<high> fingerprint=x
local request = KEYS[1]
local fingerprint = ARGV[5]

redis.call(
  'HSET', request, 'v', '1', 's', fingerprint == 'x' and 'running' or 'done', 'p', fingerprint,
  'o', string.rep('o', 48), 'n', '1000000', 'l', '1', 'r', string.rep('x', 262144)
)
redis.call('PEXPIRE', request, 600000)
