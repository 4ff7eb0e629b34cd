#!lua
-- A session with all the fields that it may have, whose end is to be put off, and whose index
-- would expire before it, among two thousand others.
local session, index = KEYS[1], KEYS[2]

redis.call('HSET', session, 'v', '1', 'c', '1700000000000', 'm', '4102444800000', 'i', '600000', 'r', '7')
for at = 1, 64 do
  redis.call('HSET', session, string.format('d:%064.0f', at), string.rep('x', 190))
end
redis.call('PEXPIRE', session, 600000)
for at = 1, 2000 do
  redis.call('ZADD', index, 4102444800000, string.format('%064.0f', at))
end
local time = redis.call('TIME')
redis.call('ZADD', index, string.format('%.0f', tonumber(time[1]) * 1000 + 60000), session:match('}:s:(.+)$'))
redis.call('PEXPIRE', index, 300000)
