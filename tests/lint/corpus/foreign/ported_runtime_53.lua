-- loads on 5.1, fails when it runs
local items = redis.call('LRANGE', KEYS[1], 0, 99)
local seen = {}
local uniq = {}
for _, v in ipairs(items) do
  if not seen[v] then
    seen[v] = true
    table.insert(uniq, v)
  end
end
if #uniq > 0 then
  redis.call('DEL', KEYS[1])
  redis.call('RPUSH', KEYS[1], table.unpack(uniq))
end
local packed = table.pack(#items, #uniq)
print('dedup', packed.n)
redis.call('HSET', KEYS[2], 'at', os.time(), 'type', math.type(#uniq))
return utf8.len(uniq[1] or '')
