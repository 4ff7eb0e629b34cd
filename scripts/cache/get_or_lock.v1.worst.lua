#!lua
-- A fresh value of the greatest length that `fill` stores, which the caller's draw makes it
-- refresh early. The lease was held after failures, and for longer than any hold can be, as
-- after a clock that was set back: the call takes it over, and replies with the value.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hold=600s beta_ppm=100000000 draw_ppm=1
local entry, lease = KEYS[1], KEYS[2]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000

redis.call(
  'HSET', entry, 'v', '1', 'd', string.rep('x', 262144),
  's', string.format('%.0f', now_ms + 3600000), 'x', '600000', 'n', '0',
  't', string.format('%.0f', now_ms), 'o', string.rep('o', 48)
)
redis.call('PEXPIRE', entry, 600000)
redis.call('SET', lease, '!9007199254740991+' .. string.rep('b', 48), 'PX', 3600000)
