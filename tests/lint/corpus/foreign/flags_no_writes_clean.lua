#!lua flags=no-writes
-- is a feature on for this user?
local mode = redis.call('HGET', KEYS[1], 'mode')
if not mode or mode == 'off' then
  return 0
end
if mode == 'on' then
  return 1
end
local percent = tonumber(redis.call('HGET', KEYS[1], 'percent') or '0')
local bucket = tonumber(string.sub(redis.sha1hex(ARGV[1]), 1, 4), 16) % 100
if bucket < percent then
  return 1
end
return redis.call('SISMEMBER', KEYS[2], ARGV[1])
