-- safer variant: SCAN instead of KEYS
local cursor = 0
local deleted = 0
repeat
  local reply = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
  cursor = reply[1]
  for _, key in ipairs(reply[2]) do
    redis.call('DEL', key)
    deleted = deleted + 1
  end
until cursor == 0
return deleted
