-- RESP3 conversion: a map comes as a table with the field map
redis.setresp(3)
local m = redis.call('HGETALL', KEYS[1])
local v = redis.call('GET', KEYS[2])
if v == nil then
  v = ''
end
local fields = 0
for _ in pairs(m.map) do
  fields = fields + 1
end
return { fields, v }
