#!lua
-- Two thousand players with long ids, of whom as many are dropped as one call does.
-- @call board=b order=high id=p0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001500 score=0.5 mode=last max_entries=1 ttl=1h
local scores, ids = KEYS[1], KEYS[2]

for at = 1, 2000 do
  local mark, id = string.format('%016.0f', at), 'p' .. string.format('%028.0f%099.0f', 0, at)
  redis.call('ZADD', scores, at % 7, mark .. id)
  redis.call('HSET', ids, 'v', '1', 'i:' .. id, mark)
end
