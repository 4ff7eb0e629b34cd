-- only fails when the branch runs
local balance = tonumber(redis.call('GET', KEYS[1]) or '0')
local amount = tonumber(ARGV[1])
if amount > balance then
  reason = 'insufficient'
  return redis.error_reply('FUNDS ' .. reason)
end
local new_balance = redis.call('DECRBY', KEYS[1], amount)
redis.call('LPUSH', KEYS[2], string.format('%d:%d', ammount, new_balance))
return new_balance
