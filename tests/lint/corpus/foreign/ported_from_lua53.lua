-- ported from our OpenResty code
local key <const> = KEYS[1]
local flags = tonumber(redis.call('GET', key) or 0)
local bit_no = tonumber(ARGV[1])

for i = 1, 3 do
  if i == bit_no then goto continue end
  flags = flags | (1 << i)
  ::continue::
end

local half = flags // 2
redis.call('SET', key, flags ~ half)
return half
