-- everything is called key
local type, table = ARGV[1], ARGV[2]
local key = KEYS[1]
local function load(key, field)
  local value, value = redis.call('HGET', key, field), 0
  return value
end
local unused = redis.call('HLEN', key)
if type == 'number' then
  return tonumber(load(key, table)) or 0
else
  return load(key, table)
end
