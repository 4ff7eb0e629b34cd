-- neighbours of a member: KEYS[1] board, ARGV[1] member, ARGV[2] radius
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
local radius = tonumber(ARGV[2]) or 5
local from = math.max(rank - radius, 0)
local to = rank + radius

local rows = redis.call('ZRANGE', KEYS[1], from, to, 'REV', 'WITHSCORES')
local out = {}
for i = 0, #rows, 2 do
  out[#out + 1] = rows[i] .. ':' .. rows[i + 1]
end
return out
