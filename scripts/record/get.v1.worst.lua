#!lua
-- Every field that is asked for stands there, with a value of the greatest length; or all of
-- a record of 64 such fields.
-- @call 'names=[(f)]'
-- @call names=[]
local record = KEYS[1]

redis.call('UNLINK', record)
for at = 3, #ARGV do
  redis.call('HSET', record, ARGV[at], string.rep('x', 4096))
end
if #ARGV == 2 then
  for at = 1, 64 do
    redis.call('HSET', record, string.format('field%.0f', at), string.rep('x', 4096))
  end
end
redis.call('PEXPIRE', record, 600000)
