-- Submit a score, keep the best, return the new 1-based rank.
local board = KEYS[1]
local player = ARGV[1]
local score = tonumber(ARGV[2])

local old = redis.call('ZSCORE', board, player)
if not old or tonumber(old) < score then
  redis.call('ZADD', board, score, player)
end

local rank = redis.call('ZREVRANK', board, player)
local total = redis.call('ZCARD', board)
return { rank + 1, total }
