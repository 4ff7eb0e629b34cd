-- format the last events as text
local events = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 50)
local text = ''
for i = 1, #events do
  local id, fields = events[i][1], events[i][2]
  text = text .. id .. ' '
  for j = 1, #fields, 2 do
    text = text .. fields[j] .. '=' .. fields[j + 1] .. ' '
  end
  text = text .. '\n'
end
local parts = {}
for i = 1, #events do parts[#parts + 1] = events[i][1] end
return { text, table.concat(parts, ',') }
