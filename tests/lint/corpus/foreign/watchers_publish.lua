-- set a value and tell those who watch, reply with how many heard it
local before = redis.call('GET', KEYS[1])
if before == ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
local payload = cjson.encode({ key = KEYS[1], old = before or cjson.null, new = ARGV[1] })
return redis.call('PUBLISH', 'watch:' .. KEYS[1], payload)
