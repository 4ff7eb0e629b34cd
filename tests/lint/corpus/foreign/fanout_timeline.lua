-- push a post to every follower's timeline
local followers = redis.call('SMEMBERS', KEYS[1])
local post = ARGV[1]
local log = ''
for _, f in ipairs(followers) do
  local timeline = 'timeline:' .. f
  redis.call('LPUSH', timeline, post)
  redis.call('LTRIM', timeline, 0, 799)
  for _, muted in ipairs(redis.call('SMEMBERS', 'muted:' .. f)) do
    if muted == ARGV[2] then
      redis.call('LREM', timeline, 1, post)
    end
  end
  log = log .. f .. ','
end
return log
