-- page of the leaderboard with names
local board = KEYS[1]
local page = tonumber(ARGV[1])
local size = tonumber(ARGV[2])

local all = redis.call('ZREVRANGE', board, 0, -1, 'WITHSCORES')
local result = {}
for i = page * size * 2 + 1, (page + 1) * size * 2, 2 do
  local id = all[i]
  local name = redis.call('HGET', 'player:' .. id, 'name')
  result[#result + 1] = { id, name, all[i + 1] }
end

return { items = result, total = #all / 2 }
