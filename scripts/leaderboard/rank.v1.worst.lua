#!lua
-- Two thousand players with long ids and many equal scores.
-- @call board=b order=high id=p0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001500
local scores, ids = KEYS[1], KEYS[2]

for at = 1, 2000 do
  local mark, id = string.format('%016.0f', at), 'p' .. string.format('%028.0f%099.0f', 0, at)
  redis.call('ZADD', scores, at % 7, mark .. id)
  redis.call('HSET', ids, 'v', '1', 'i:' .. id, mark)
end
