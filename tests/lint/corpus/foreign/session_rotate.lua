-- give a session a new id
local old = KEYS[1]
local new = 'sess:' .. ARGV[1]
if not redis.call('EXISTS', old) then
  return redis.error_reply('NOSESSION session is gone')
end
if redis.call('EXISTS', new) == 1 then
  return {err = 'session id in use'}
end
local user = redis.call('HGET', old, 'user')
redis.call('RENAME', old, new)
redis.call('SREM', 'user:' .. user .. ':sessions', old)
redis.call('SADD', 'user:' .. user .. ':sessions', new)
return redis.status_reply('OK')
