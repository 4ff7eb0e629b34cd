-- the same, done right
local v = redis.pcall('INCR', KEYS[1])
if type(v) == 'table' and v.err then
  return redis.error_reply('NOTANUMBER ' .. KEYS[1])
end
local members = redis.pcall('SMEMBERS', KEYS[2])
if members['err'] then
  members = {}
end
local n = redis.pcall('LLEN', KEYS[3])
if type(n) ~= 'number' then
  n = 0
end
local last = redis.pcall('LPUSH', KEYS[3], v)
return last
