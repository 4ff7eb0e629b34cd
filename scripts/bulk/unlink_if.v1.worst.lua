#!lua
-- Every document is there, with a value of the greatest length.
for index = 1, #KEYS do
  redis.call('HSET', KEYS[index], 'v', '1', 'n', '1', 'd', string.rep('x', 4096))
  redis.call('PEXPIRE', KEYS[index], 600000)
end
