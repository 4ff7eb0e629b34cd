-- 64-bit ids: 41 bits time, 10 bits node, 12 bits sequence
local node = tonumber(ARGV[1])
local epoch = 1500000000000
local t = redis.call('TIME')
local ms = t[1] * 1000 + math.floor(t[2] / 1000) - epoch
local seq = redis.call('INCR', KEYS[1] .. ':seq') % 4096
local id = ms * 4194304 + node * 4096 + seq
redis.call('SADD', KEYS[1], id)
return tostring(id)
