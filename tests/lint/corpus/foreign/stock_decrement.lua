-- 扣减库存
local key = KEYS[1]
local num = tonumber(ARGV[1])
local stock = tonumber(redis.call('get', key))
if (stock >= num) then
    return redis.call('decrby', key, num)
elseif (stock == 0) then
    return -1
else
    error({code = 2, msg = 'insufficient stock'})
end
