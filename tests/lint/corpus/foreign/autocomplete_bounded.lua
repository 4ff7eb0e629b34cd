-- prefix search, with LIMIT and scores from another set
local limit = math.min(tonumber(ARGV[2]) or 10, 50)
local found = redis.call('ZRANGE', KEYS[1], '[' .. ARGV[1], '(' .. ARGV[1] .. '\255', 'BYLEX', 'LIMIT', 0, limit)
local out = {}
for i, word in ipairs(found) do
  out[i] = word .. '|' .. (redis.call('ZSCORE', KEYS[2], word) or '0')
end
return out
