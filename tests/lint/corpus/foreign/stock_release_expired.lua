-- Give back stock of reservations that ran out.
-- KEYS[1] reservations zset (member "sku:qty:id", score deadline), KEYS[2] stock hash
local now = redis.call('TIME')[1]
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, 500)
local given = 0
for _, entry in ipairs(gone) do
  local sku, qty = string.match(entry, '^([^:]+):(%d+):')
  if sku then
    redis.call('HINCRBY', KEYS[2], sku, qty)
    given = given + qty
  end
end
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
end
return given
