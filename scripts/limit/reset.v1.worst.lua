#!lua
-- A subject that every limiter knows, with a log of four thousand calls.
local state, settled, tiers, block, bucket, window, log, counter =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]

for _, text in ipairs({state, block, counter}) do
  redis.call('SET', text, '1', 'PX', 600000)
end
for _, hash in ipairs({tiers, bucket, window}) do
  redis.call('HSET', hash, 'v', '1', 'x', string.rep('x', 200))
  redis.call('PEXPIRE', hash, 600000)
end
for at = 1, 4000 do
  redis.call('ZADD', log, at, string.format('%032.0f:1', at))
end
for at = 1, 64 do
  redis.call('ZADD', settled, at, string.format('%032.0f', at))
end
redis.call('PEXPIRE', log, 600000)
redis.call('PEXPIRE', settled, 600000)
