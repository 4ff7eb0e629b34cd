#!lua
-- Every document is there: older, and replaced by one of the greatest length; or the same, so
-- that its value is compared; or absent.
-- @call ttl=<high> mode=newer 'rows=[(1, x)]'
-- @call ttl=<high> mode=absent 'rows=[(1, x)]'
for index = 1, #KEYS do
  if ARGV[3] == 'absent' and index % 2 == 0 then
    redis.call('UNLINK', KEYS[index])
  else
    local version = ARGV[3] == 'absent' and ARGV[5 + 2 * index] or '0'
    redis.call('HSET', KEYS[index], 'v', '1', 'n', version, 'd', string.rep('x', 4096))
    redis.call('PEXPIRE', KEYS[index], 600000)
  end
end
