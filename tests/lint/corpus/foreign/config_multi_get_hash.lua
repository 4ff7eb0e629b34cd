-- read several settings hashes, as one JSON text
local out = {}
for i, key in ipairs(KEYS) do
  local h = redis.call('HGETALL', key)
  local t = {}
  for j = 1, #h, 2 do t[h[j]] = h[j + 1] end
  out[ARGV[i] or key] = t
end
return cjson.encode(out)
