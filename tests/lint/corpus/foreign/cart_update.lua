-- shopping cart in one JSON string
local cart = redis.call('GET', KEYS[1])
if cart == nil then
  cart = '{"items":[]}'
end
cart = cjson.decode(cart)
local item = cjson.decode(ARGV[1])

local found = false
for i, line in ipairs(cart.items) do
  if line.sku == item.sku then
    line.qty = line.qty + item.qty
    if line.qty <= 0 then
      table.remove(cart.items, i)
    end
    found = true
  end
end
if not found then
  table.insert(cart.items, item)
end

if cart.coupon == nil then
  cart.total = 0
end

redis.call('SET', KEYS[1], cjson.encode(cart))
redis.call('EXPIRE', KEYS[1], 3600 * 24 * 7)
return cart
