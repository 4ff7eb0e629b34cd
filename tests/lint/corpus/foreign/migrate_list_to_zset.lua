-- convert a list to a sorted set in place
local key = KEYS[1]
if redis.call('TYPE', key)['ok'] ~= 'list' then
  return 0
end
local items = redis.call('LRANGE', key, 0, -1)
redis.call('DEL', key)
for i, item in ipairs(items) do
  redis.call('ZADD', key, i, item)
end
return #items
