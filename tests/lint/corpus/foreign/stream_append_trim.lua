-- append an event, keep the stream short, return its id
local cap = tonumber(ARGV[1]) or 1000
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', cap, '*', 'type', ARGV[2], 'body', ARGV[3])
local len = redis.call('XLEN', KEYS[1])
if len > cap * 2 then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', cap)
end
if redis.call('TTL', KEYS[1]) < 0 then
  redis.call('EXPIRE', KEYS[1], 86400)
end
return id
