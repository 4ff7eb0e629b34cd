-- rename keys given in KEYS from an old prefix to a new one
local from, to = ARGV[1], ARGV[2]
local count = 0
for i = 1, #KEYS do
  local key = KEYS[i]
  if string.sub(key, 1, #from) == from then
    local new = to .. string.sub(key, #from + 1)
    local ok = redis.pcall('RENAMENX', key, new)
    if ok then
      count = count + 1
    end
  end
end
return count
