-- visits of a page today, yesterday and in total
local day, yesterday = ARGV[1], ARGV[2]
local page = KEYS[1]
local today = redis.call('INCR', page .. ':' .. day)
if today == 1 then
  redis.call('EXPIRE', page .. ':' .. day, 172800)
end
local before = tonumber(redis.call('GET', page .. ':' .. yesterday))
local growth = (today - before) / before * 100
redis.call('INCR', 'visits:total')
return { today, before, growth }
