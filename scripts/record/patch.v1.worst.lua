#!lua
-- A record that is full, so that every field is looked at. Those that are set stand in it
-- already, with a value of the greatest length, and so do those that are deleted.
-- @call ttl=<high> renew=longer max_fields=64 'sets=[(f, x)]' 'deletes=[(g)]'
local record = KEYS[1]

redis.call('UNLINK', record)
local sets = tonumber(ARGV[5])
for at = 6, 5 + 2 * sets, 2 do
  redis.call('HSET', record, ARGV[at], string.rep('x', 4096))
end
for at = 7 + 2 * sets, #ARGV do
  redis.call('HSET', record, ARGV[at], string.rep('x', 4096))
end
for at = redis.call('HLEN', record) + 1, 64 do
  redis.call('HSET', record, string.format('other%.0f', at), 'x')
end
redis.call('PEXPIRE', record, 600000)
