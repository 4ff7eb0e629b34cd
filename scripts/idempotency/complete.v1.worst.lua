#!lua
-- The owner holds the request, and completes it with the longest response.
-- @call owner=<high> response=<high> ttl=<high>
local request = KEYS[1]
local owner = ARGV[2]

redis.call(
  'HSET', request, 'v', '1', 's', 'running', 'p', string.rep('f', 64), 'o', owner, 'n', '1000000',
  'l', '1'
)
redis.call('PEXPIRE', request, 600000)
