#!lua
-- The holder gives the lock back, of which the clock's setting back has made more left than it
-- was taken for. A token lies in the wake list, where none should, and is replaced.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa grace=<high>
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa grace=<low>
local lock, wake = KEYS[1], KEYS[2]
local owner = ARGV[2]

redis.call('HSET', lock, 'v', '1', 'o', owner, 'f', '9007199254740990', 'h', '1000')
redis.call('PEXPIRE', lock, 600000)
redis.call('RPUSH', wake, '9007199254740990')
redis.call('PEXPIRE', wake, 600000)
