-- KEYS[1] processing zset, KEYS[2] payload hash, KEYS[3] dead list
local id = ARGV[1]
local now = tonumber(ARGV[2])
local max_attempts = tonumber(ARGV[3])

local raw = redis.call('HGET', KEYS[2], id)
if not raw then
  return 'MISSING'
end
local ok, message = pcall(cjson.decode, raw)
if not ok or type(message) ~= 'table' then
  redis.call('LPUSH', KEYS[3], raw)
  redis.call('HDEL', KEYS[2], id)
  return 'POISON'
end

message.attempts = (message.attempts or 0) + 1
if message.attempts > max_attempts then
  redis.call('ZREM', KEYS[1], id)
  redis.call('LPUSH', KEYS[3], raw)
  return 'DEAD'
end
local delay = math.min(2 ^ message.attempts * 1000, 3600000)
redis.call('HSET', KEYS[2], id, cjson.encode(message))
redis.call('ZADD', KEYS[1], now + delay, id)
return 'RETRY'
