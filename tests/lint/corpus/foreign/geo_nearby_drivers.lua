-- nearest free drivers
local near = redis.call('GEORADIUS', KEYS[1], ARGV[1], ARGV[2], ARGV[3], 'km', 'WITHDIST')
local free = {}
for _, d in ipairs(near) do
  local id, dist = d[1], d[2]
  if redis.call('GET', 'driver:' .. id .. ':busy') == '0' then
    table.insert(free, {id, dist})
  end
end
table.sort(free, function(a, b) return a[2] < b[2] end)
return free
