-- drop the entries of one tag, a thousand at a time
local tag = KEYS[1]
local budget = tonumber(ARGV[1]) or 5000
local removed = 0

local keys = redis.call('SPOP', tag, budget)
local batch = {}
for i = 1, #keys do
  batch[#batch + 1] = keys[i]
  if #batch == 1000 or i == #keys then
    removed = removed + redis.call('UNLINK', unpack(batch))
    batch = {}
  end
end
return { removed, redis.call('SCARD', tag) }
