#!lua
-- A value of the greatest length that `fill` stores is marked as stale, or removed; the lease is
-- held.
-- @call mode=mark_stale
-- @call mode=delete
local entry, lease = KEYS[1], KEYS[2]

redis.call(
  'HSET', entry, 'v', '1', 'd', string.rep('x', 262144), 's', '1', 'x', '600000', 'n', '0',
  't', '1', 'o', string.rep('o', 48)
)
redis.call('PEXPIRE', entry, 600000)
redis.call('SET', lease, '!9007199254740991+' .. string.rep('b', 48), 'PX', 600000)
