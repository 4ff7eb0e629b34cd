-- mark a user active and count the week
local day_key = KEYS[1]
redis.call('SETBIT', day_key, ARGV[1], 1)
local days = {}
for i = 2, #KEYS do days[#days + 1] = KEYS[i] end
redis.call('BITOP', 'AND', 'active:week', unpack(days))
local active = redis.call('BITCOUNT', 'active:week')
redis.call('EXPIRE', 'active:week', 3600)
local percent = active / redis.call('BITCOUNT', day_key) * 100
return {active, percent}
