#!lua
-- The clock was set back: every tier's time is far beyond its ceiling, and is cut back.
-- @call subject=s 'tiers=[(a, 1, 1s, 1, 1)]'
local state = KEYS[1]

redis.call('HSET', state, 'v', '1')
for row = 1, tonumber(ARGV[1]) do
  redis.call('HSET', state, 't:' .. ARGV[5 * row - 1], '4102444800000000')
end
redis.call('PEXPIRE', state, 600000)
