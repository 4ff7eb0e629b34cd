-- versioned settings: write only when the version is the one that was read
local version = tonumber(redis.call('HGET', KEYS[1], 'v')) or 0
if version ~= tonumber(ARGV[1]) then
  return { 'CONFLICT', version }
end
local fields = { 'v', version + 1 }
for i = 2, #ARGV, 2 do
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
end
redis.call('HSET', KEYS[1], unpack(fields))
return { 'OK', version + 1 }
