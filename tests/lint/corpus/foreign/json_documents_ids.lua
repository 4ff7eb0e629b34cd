-- update a JSON document with a numeric id
local raw = redis.call('GET', KEYS[1]) or '{}'
local doc = cjson.decode(raw)
doc.id = tonumber(ARGV[1])
doc.updated = tonumber(ARGV[2])
if doc.deleted_at ~= nil then
  return redis.error_reply('DELETED document is deleted')
end
redis.call('SET', KEYS[1], cjson.encode(doc), 'KEEPTTL')
return cjson.encode(doc)
