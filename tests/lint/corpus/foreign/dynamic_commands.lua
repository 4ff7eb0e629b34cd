-- run a list of commands given as JSON: [["SET","k","v"], …]
local batch = cjson.decode(ARGV[1])
local allowed = { SET = true, GET = true, INCR = true, DEL = true }
local out = {}
for i, args in ipairs(batch) do
  local name = string.upper(args[1])
  if not allowed[name] then
    return redis.error_reply('DENIED ' .. name)
  end
  local ok = false
  for _, key in ipairs(KEYS) do
    if key == args[2] then ok = true end
  end
  if ok then
    out[i] = redis.call(unpack(args))
  end
end
return out
