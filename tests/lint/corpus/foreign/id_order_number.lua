-- order numbers like 20240131-000042
local date = ARGV[1]
local seq = redis.call('INCR', KEYS[1])
if seq == 1 then
  redis.call('EXPIREAT', KEYS[1], ARGV[2])
end
return date .. '-' .. string.format('%06d', seq)
