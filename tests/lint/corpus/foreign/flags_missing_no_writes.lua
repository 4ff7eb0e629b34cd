#!lua
-- a view over three hashes, reads only
local out = {}
for i = 1, #KEYS do
  out[i] = redis.call('HMGET', KEYS[i], 'name', 'price')
end
return out
