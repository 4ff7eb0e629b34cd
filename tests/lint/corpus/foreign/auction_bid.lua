-- place a bid; AI-written, looks right
local current = redis.call('HGET', KEYS[1], 'bid')
local bid = tonumber(ARGV[1])
if current and bid <= current then
  return { status = 'too_low', current = current }
end
local ends = redis.call('HGET', KEYS[1], 'ends')
if redis.call('TIME')[1] > ends then
  return redis.error_reply('auction is over')
end
redis.call('HSET', KEYS[1], 'bid', bid, 'bidder', ARGV[2])
redis.call('ZADD', KEYS[2], bid, ARGV[2])
redis.call('PUBLISH', 'auction:bids', cjson.encode({ bid = bid, by = ARGV[2] }))
return redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
