-- load and touch a session, as JSON
local sid = KEYS[1]
local ttl = tonumber(ARGV[1])
if redis.call('EXPIRE', sid, ttl) == 0 then
  return false
end
local session = {}
local field
for i, v in ipairs(redis.call('HGETALL', sid)) do
  if i % 2 == 1 then field = v else session[field] = v end
end
return cjson.encode(session)
