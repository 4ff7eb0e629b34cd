#!lua
-- A sketch that is dense at the greatest n, into which n ids of the greatest length are to go.
local sketch = KEYS[1]
local n = tonumber(ARGV[1])

for block = 1, math.ceil(n * 0.4) do
  local ids = {}
  for index = 1, 100 do
    ids[index] = string.format('%.0f-%.0f', block, index)
  end
  redis.call('PFADD', sketch, unpack(ids))
end
redis.call('PEXPIRE', sketch, 600000)
