#!lua
-- A session with all the fields that it may have, among two thousand others.
local session, new_session, index = KEYS[1], KEYS[2], KEYS[3]

redis.call('HSET', session, 'v', '1', 'c', '1700000000000', 'm', '4102444800000', 'i', '600000', 'r', '7')
for at = 1, 64 do
  redis.call('HSET', session, string.format('d:%064.0f', at), string.rep('x', 190))
end
redis.call('PEXPIRE', session, 600000)
for at = 1, 2000 do
  redis.call('ZADD', index, 4102444800000, string.format('%064.0f', at))
end
redis.call('UNLINK', new_session)
redis.call('ZADD', index, 4102444800000, session:match('}:s:(.+)$'))
redis.call('PEXPIRE', index, 600000)
