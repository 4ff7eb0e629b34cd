-- which of these ids are unknown? KEYS[1] set, ARGV ids
local missing = {}
local flags = redis.call('SMISMEMBER', KEYS[1], unpack(ARGV))
for i = 1, #ARGV do
  if flags[i] == 0 then
    missing[#missing + 1] = ARGV[i]
  end
end
return missing
