-- merge a patch into a cached document
local doc = redis.call('GET', KEYS[1])
local current = doc and cjson.decode(doc) or {}
local patch = cjson.decode(ARGV[1])

for k, v in pairs(patch) do
  if v == nil then
    current[k] = nil
  else
    current[k] = v
  end
end

redis.call('SET', KEYS[1], cjson.encode(current))
return redis.call('TTL', KEYS[1])
