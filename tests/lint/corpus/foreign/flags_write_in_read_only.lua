#!lua flags=no-writes
-- unique visitors, counted and announced
local n = redis.call('PFCOUNT', KEYS[1])
if n > tonumber(ARGV[1]) then
  redis.call('PUBLISH', KEYS[2], n)
  redis.call('SET', KEYS[3], n)
end
local top = redis.call('ZRANGE', KEYS[4], 0, 9)
return {n, top}
