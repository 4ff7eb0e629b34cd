-- load and touch a session
local sid = KEYS[1]
if redis.call('EXISTS', sid) == 0 then
  return nil
end
redis.call('EXPIRE', sid, ARGV[1])

local flat = redis.call('HGETALL', sid)
local session = {}
for i = 1, #flat, 2 do
  session[flat[i]] = flat[i + 1]
end
session.last_seen = ARGV[2]
redis.call('HSET', sid, 'last_seen', ARGV[2])
return session
