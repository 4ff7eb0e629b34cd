#!lua
-- With all its fields the user has ten thousand sessions, of which 256 are over and 256 are to
-- be ended.
-- @call sid=ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss idle=<high> absolute=<high> max_sessions=1 'fields=[(a, x)]'
local session, index = KEYS[1], KEYS[2]

redis.call('UNLINK', session)
for at = 1, math.ceil(10000 * tonumber(ARGV[1]) / 64) do
  local ends_at = at <= 256 and 1700000000000 or 4102444800000
  redis.call('ZADD', index, ends_at, string.format('%064.0f', at))
end
redis.call('PEXPIRE', index, 600000)
