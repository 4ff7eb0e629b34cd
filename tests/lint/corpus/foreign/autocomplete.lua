-- prefix search in a lexicographic index
local prefix = ARGV[1]
local max = tonumber(ARGV[2])
local found = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. prefix, '[' .. prefix .. '\255')
local words = {}
for word in ipairs(found) do
  if #words < max then
    words[#words + 1] = word
  end
end
return words
