-- debit a wallet and write the ledger; AI-written
local balance = redis.call('GET', KEYS[1])
local amount = ARGV[1]
if tonumber(balance) < tonumber(amount) then
  return {false, 'INSUFFICIENT_FUNDS'}
end
local new = balance - amount
redis.call('SET', KEYS[1], new)
local entry = cjson.decode(ARGV[2])
entry.balance = new
redis.call('RPUSH', KEYS[2], cjson.encode(entry))
redis.call('EXPIRE', KEYS[2], 86400 * 30.5)
return {true, new}
