#!lua
-- The lock is held, by an owner of the greatest length, and its fence is kept.
local lock, fence = KEYS[1], KEYS[2]

redis.call(
  'HSET', lock, 'v', '1', 'o', string.rep('b', 48), 'f', '9007199254740990', 'h', '86400000'
)
redis.call('PEXPIRE', lock, 600000)
redis.call('SET', fence, '9007199254740990', 'PX', 600000)
