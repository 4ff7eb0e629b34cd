-- forgot local
key = KEYS[1]
now = tonumber(ARGV[1])
function remaining(k)
  return redis.call('PTTL', k)
end
if redis.call('EXISTS', KEY[1]) == 1 then
  return remaining(key)
end
for i, v in pairs(ARGV) do
  total = (total or 0) + v
end
return {remaining(key), now}
