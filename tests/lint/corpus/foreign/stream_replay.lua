-- copy a stream into another, from an id on
local from = ARGV[1] or '-'
local n = 0
local entries = redis.call('XRANGE', KEYS[1], from, '+')
for i = 1, #entries do
  redis.call('XADD', KEYS[2], '*', unpack(entries[i][2]))
  n = n + 1
end
return {n, #entries > 0 and entries[#entries][1]}
