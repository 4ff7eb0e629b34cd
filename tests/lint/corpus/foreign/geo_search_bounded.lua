-- the ten nearest shops, with their open flag
local shops = redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', ARGV[1], ARGV[2], 'BYRADIUS', ARGV[3], 'km', 'ASC', 'COUNT', 10)
if #shops == 0 then
  return {}
end
local open = redis.call('HMGET', KEYS[2], unpack(shops))
local out = {}
for i, shop in ipairs(shops) do
  out[#out + 1] = shop
  out[#out + 1] = open[i] or '0'
end
return out
