-- cart as a hash sku -> qty. ARGV: sku, delta, max
local sku, delta, max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if not delta or not max then
  return redis.error_reply('BADARG delta and max must be numbers')
end
local qty = tonumber(redis.call('HGET', KEYS[1], sku) or 0) + delta
if qty <= 0 then
  redis.call('HDEL', KEYS[1], sku)
  return 0
end
if qty > max then qty = max end
redis.call('HSET', KEYS[1], sku, qty)
redis.call('EXPIRE', KEYS[1], 604800)
return qty
