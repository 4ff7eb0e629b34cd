-- one-off migration: user:<id> hashes to JSON strings
local moved = 0
for _, id in ipairs(redis.call('SMEMBERS', 'users')) do
  local key = 'user:' .. id
  local flat = redis.call('HGETALL', key)
  local doc = {}
  for i = 1, #flat, 2 do
    doc[flat[i]] = tonumber(flat[i + 1]) or flat[i + 1]
  end
  redis.call('SET', key, cjson.encode(doc))
  moved = moved + 1
  redis.log(redis.LOG_NOTICE, 'migrated ' .. moved)
end
redis.call('SET', 'users:migrated', moved)
return moved
