-- drop every entry that carries one of the tags
local removed = 0
for _, tag in ipairs(KEYS) do
  local members = redis.call('SMEMBERS', tag)
  if #members > 0 then
    removed = removed + redis.call('DEL', unpack(members))
  end
  redis.call('DEL', tag)
end
return removed
