#!lua
-- The owner holds the lease after more failures than anybody will count.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa cooldown=<high>
local lease = KEYS[1]
local owner = ARGV[2]

redis.call('SET', lease, '!4503599627370496+' .. owner, 'PX', 600000)
