#!lua
-- A hundred times as many players as are asked for, with long ids and many equal scores.
-- @call board=b order=high count=100
local scores = KEYS[1]

for at = 1, 100 * tonumber(ARGV[1]) do
  local mark, id = string.format('%016.0f', at), 'p' .. string.format('%028.0f%099.0f', 0, at)
  redis.call('ZADD', scores, at % 7, mark .. id)
end
