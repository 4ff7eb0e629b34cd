#!lua
-- A record of the most fields, each of the greatest length.
local record = KEYS[1]

for at = 1, 64 do
  redis.call('HSET', record, string.format('field%.0f', at), string.rep('x', 4096))
end
redis.call('PEXPIRE', record, 600000)
