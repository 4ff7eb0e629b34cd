#!lua
-- A record of as many fields as are stored, each of the greatest length: replaced by another,
-- or compared value by value, which finds the same.
-- @call ttl=<high> mode=any 'fields=[(f, x)]'
-- @call ttl=<high> mode=absent 'fields=[(f, x)]'
local record = KEYS[1]

redis.call('UNLINK', record)
for at = 5, #ARGV, 2 do
  local value = ARGV[3] == 'absent' and ARGV[at + 1] or string.rep('x', 4096)
  redis.call('HSET', record, ARGV[at], value)
end
redis.call('PEXPIRE', record, 600000)
