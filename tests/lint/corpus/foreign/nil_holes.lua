-- profile card
local user = KEYS[1]
local name = redis.call('HGET', user, 'name')
local city = redis.call('HGET', user, 'city')
local tags = redis.call('SMEMBERS', KEYS[2])
if ARGV[1] == 'short' then
  return { name or '', city or '' }
end
if ARGV[1] == 'pair' then
  return { 1, nil, 3 }
end
local age
if name then
  age = redis.call('HGET', user, 'age')
end
return { user, age, name, tags }
