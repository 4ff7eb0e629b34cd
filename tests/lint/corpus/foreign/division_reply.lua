-- share of a poll's answer, in percent
local votes = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
local total = 0
for _, v in ipairs(redis.call('HVALS', KEYS[1])) do
  total = total + v
end
if total == 0 then
  return { '0', 0 }
end
local share = votes / total
return { tostring(share), share * 100, math.floor(share * 100) }
