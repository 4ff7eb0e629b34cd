#!lua
-- A session with n fields of the greatest size, and as many that are stored.
-- @call sid=a token=<high> 'sets=[(a, x)]' 'unsets=[]'
local session, index = KEYS[1], KEYS[2]

redis.call('HSET', session, 'v', '1', 'c', '1700000000000', 'm', '4102444800000', 'i', '600000', 'r', '7')
for at = 1, tonumber(ARGV[1]) do
  redis.call('HSET', session, string.format('d:%.0f', at - 1), string.rep('x', 190))
end
redis.call('PEXPIRE', session, 600000)
redis.call('ZADD', index, 4102444800000, session:match('}:s:(.+)$'))
redis.call('PEXPIRE', index, 600000)
