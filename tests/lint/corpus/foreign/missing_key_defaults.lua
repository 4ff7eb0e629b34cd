-- optional second key
KEYS[1] = string.lower(KEYS[1])
local main = KEYS[1]
local log = KEYS[2] or 'audit:default'
local owner = tostring(ARGV[3])
if tostring(owner) == nil then
  return 0
end
redis.call('SET', main, ARGV[1], 'EX', ARGV[2] or 60)
redis.call('LPUSH', log, owner)
return 1
