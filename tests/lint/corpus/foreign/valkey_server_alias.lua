-- written for Valkey
local v = server.call('GET', KEYS[1])
if not v then
  return server.error_reply('MISSING nothing stored')
end
return v
