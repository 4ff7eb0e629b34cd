-- raffle: draw winners out of a set
local all = redis.call('SMEMBERS', KEYS[1])
math.randomseed(tonumber(ARGV[2]))
local winners = {}
for i = 1, tonumber(ARGV[1]) do
  local pick = math.random(#all)
  winners[i] = table.remove(all, pick)
end
for i = 0, #winners do
  redis.call('LPUSH', KEYS[2], winners[i])
end
return winners
