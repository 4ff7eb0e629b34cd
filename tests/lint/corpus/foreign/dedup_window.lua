-- deduplication with one key for each message
local lock = redis.call('SETNX', KEYS[1], ARGV[1])
if lock == 1 then
  redis.call('EXPIRE', KEYS[1], tonumber(ARGV[2]) / 2)
  return true
end
return false
