-- hand out a block of ids: KEYS[1] counter, ARGV[1] size
local size = tonumber(ARGV[1])
if not size or size < 1 or size > 100000 then
  return redis.error_reply('BADSIZE block size must be 1 to 100000')
end
local last = redis.call('INCRBY', KEYS[1], size)
return { last - size + 1, last }
