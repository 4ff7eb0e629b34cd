#!lua
-- The owner holds the request, and fails with the longest response, or gives it back.
-- @call owner=<high> mode=final response=<high> ttl=<high>
-- @call owner=<high> mode=retry
local request = KEYS[1]
local owner = ARGV[2]

redis.call(
  'HSET', request, 'v', '1', 's', 'running', 'p', string.rep('f', 64), 'o', owner, 'n', '1000000',
  'l', '1'
)
redis.call('PEXPIRE', request, 600000)
