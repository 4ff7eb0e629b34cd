#!lua
-- A burst that is due, and another that was taken before.
local pending, taken = KEYS[1], KEYS[2]

for _, key in ipairs({pending, taken}) do
  redis.call(
    'HSET', key, 'v', '1', 'f', '1700000000000', 'l', '1700000000001', 'q', '1700000000002',
    'c', '9', 'd', string.rep('x', 4096), 'o', string.rep('o', 32), 't', 'another'
  )
  redis.call('PEXPIRE', key, 600000)
end
