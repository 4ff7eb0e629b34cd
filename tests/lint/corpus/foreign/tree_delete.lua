-- delete a node and all below it
local function remove(id)
  local children = redis.call('SMEMBERS', 'node:' .. id .. ':children')
  for _, child in ipairs(children) do
    remove(child)
  end
  redis.call('DEL', 'node:' .. id, 'node:' .. id .. ':children')
  return 1
end
remove(ARGV[1])
return redis.call('SREM', KEYS[1], ARGV[1])
