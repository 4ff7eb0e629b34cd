-- keep the highest version
local newvalue = ARGV[1]
local old = redis.call('GET', KEYS[1])
if not old or newvalue > old then
  return redis.call('SET', KEYS[1], newvalue)
end
return nil
