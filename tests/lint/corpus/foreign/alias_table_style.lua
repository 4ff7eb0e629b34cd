local R = redis
local call, pcall_ = R.call, R.pcall
local K, A = KEYS, ARGV
local cmd = { get = 'GET', set = 'SET' }

local function get(k) return call('GET', k) end
local function put(k, v) return call('SET', k, v, 'EX', A[2]) end

local old = get(K[1])
if old == nil then
  old = '0'
end
if R.call('EXISTS', K[2]) then
  put(K[2], old + 1)
end
R.call('HSET', 'audit:' .. A[1], 'old', old)
pcall_('EXPIRE', K[2])
return call(cmd.get, K[1])
