-- extend a lock that we still own, never beyond max
local token = redis.call('get', KEYS[1])
if not token or token ~= ARGV[1] then
  return 0
end

local left = redis.call('pttl', KEYS[1])
if left < 0 then left = 0 end

local want = left + ARGV[2]
local max = tonumber(ARGV[3])
if max and want > max then
  want = max
end
return redis.call('pexpire', KEYS[1], want)
