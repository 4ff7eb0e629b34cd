-- transfer between two accounts
local from, to = KEYS[1], KEYS[2]
local amount = tonumber(ARGV[1])
if not amount or amount <= 0 or amount ~= math.floor(amount) then
  return redis.error_reply('BADAMOUNT a positive whole number is needed')
end
local have = tonumber(redis.call('GET', from) or '0')
if have < amount then
  return { err = 'NOFUNDS ' .. have .. ' is less than ' .. amount }
end
redis.call('DECRBY', from, amount)
redis.call('INCRBY', to, amount)
return redis.status_reply('OK')
