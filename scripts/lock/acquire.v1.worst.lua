#!lua
-- The grace of a released lock is over while its token still lies in the wake list: the lock is
-- absent, which is looked at twice, and all three keys are written.
-- With the owner `next` the released lock is still there and goes to the ticket. With the owner
-- `late` it is held, for longer than it was taken for, as after a clock that was set back.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hold=<high> keep_fence=<high>
-- @call owner=next hold=<high> ticket=9007199254740990 keep_fence=<high>
-- @call owner=late hold=<high> ticket=1 keep_fence=<high>
local lock, fence, wake = KEYS[1], KEYS[2], KEYS[3]
local owner = ARGV[2]

redis.call('UNLINK', lock, wake)
redis.call('SET', fence, '9007199254740900', 'PX', 600000)
if owner ~= 'late' then
  redis.call('RPUSH', wake, '9007199254740900')
  redis.call('PEXPIRE', wake, 600000)
end
if owner == 'next' or owner == 'late' then
  local holder = owner == 'late' and string.rep('b', 48) or ''
  redis.call('HSET', lock, 'v', '1', 'o', holder, 'f', '9007199254740900', 'h', '1000')
  redis.call('PEXPIRE', lock, 600000)
end
