#!lua
-- A record that has room for one more field, which the call adds.
-- @call field=<high> amount=9007199254740991 floor=-9007199254740991 cap=9007199254740991
local record = KEYS[1]

redis.call('UNLINK', record)
for at = 1, 63 do
  redis.call('HSET', record, string.format('field%.0f', at), string.rep('x', 4096))
end
redis.call('PEXPIRE', record, 600000)
