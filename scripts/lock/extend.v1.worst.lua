#!lua
-- The holder extends, in the mode that looks at what is left.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hold=<high> mode=at_least
local lock = KEYS[1]
local owner = ARGV[2]

redis.call('HSET', lock, 'v', '1', 'o', owner, 'f', '9007199254740990', 'h', '86400000')
redis.call('PEXPIRE', lock, 600000)
