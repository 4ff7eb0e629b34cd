#!lua
-- The owner holds the request, whose key would expire before the new hold ends.
-- @call owner=<high> hold=<high>
local request = KEYS[1]
local owner = ARGV[2]

redis.call(
  'HSET', request, 'v', '1', 's', 'running', 'p', string.rep('f', 64), 'o', owner, 'n', '1000000',
  'l', '1'
)
redis.call('PEXPIRE', request, 600000)
