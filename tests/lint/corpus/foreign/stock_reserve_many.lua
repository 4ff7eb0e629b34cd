-- Reserve several articles, all or nothing.
-- KEYS[i] stock of article i, ARGV[i] quantity; last ARGV: order id; last KEYS: reservations
local n = #KEYS - 1
local order = ARGV[#ARGV]

-- first pass: look only
for i = 1, n do
  local have = tonumber(redis.call('GET', KEYS[i]) or '0')
  local want = tonumber(ARGV[i])
  if not want or want <= 0 then
    return redis.error_reply('BADQTY quantity ' .. i .. ' is no positive number')
  end
  if have < want then
    return { 'SHORT', i, have }
  end
end

-- second pass: take
for i = 1, n do
  redis.call('DECRBY', KEYS[i], ARGV[i])
  redis.call('HSET', KEYS[#KEYS], order .. ':' .. i, ARGV[i])
end
return { 'OK' }
