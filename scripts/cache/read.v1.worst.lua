#!lua
-- A fresh value of the greatest length that `fill` stores.
local entry = KEYS[1]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000

redis.call(
  'HSET', entry, 'v', '1', 'd', string.rep('x', 262144),
  's', string.format('%.0f', now_ms + 3600000), 'x', '600000', 'n', '0',
  't', string.format('%.0f', now_ms), 'o', string.rep('o', 48)
)
redis.call('PEXPIRE', entry, 600000)
