#!lua
-- Every page has a dense sketch, whose cached count is out of date, and so has the span.
for index = 1, #KEYS do
  for block = 1, 4 do
    local ids = {}
    for at = 1, 1000 do
      ids[at] = string.format('%.0f-%.0f-%.0f', index, block, at)
    end
    redis.call('PFADD', KEYS[index], unpack(ids))
  end
  redis.call('PEXPIRE', KEYS[index], 600000)
end
