#!lua flags=no-writes
--- Return a document with the version that an update must present.
--
-- fence is the greatest fence that an update in mode `fence` stored, absent when
-- there was none. The script may run on a replica, whose version may be behind:
-- an update with it is then refused.
--
-- @version 1.0.0
-- @key     document cache:{<key>}:document hash
-- @returns Found    value:bytes version:str fence:str?
-- @returns Missing
-- @error   BadState The key holds a state that this version of the family does not understand.
-- @state   document cache-document/1
-- @retry   safe
-- @budget  calls<=2 growth=1
-- @example read, change, store
--   conditional_read key=doc:1 -> Missing
--   cache.conditional_update key=doc:1 mode=create value=one token=t1 -> Stored
--   conditional_read key=doc:1 -> Found value=one version=$2.version
--   cache.conditional_update key=doc:1 mode=match expected=$3.version value=two token=t2 -> Stored
--   conditional_read key=doc:1 -> Found value=two version=$4.version
-- @example a fence
--   cache.conditional_update key=doc:2 mode=fence expected=007 value=x token=t1 -> Stored
--   conditional_read key=doc:2 -> Found value=x fence=7

local document = KEYS[1]

local stored = redis.call('HMGET', document, 'v', 'd', 'n', 'f')
local format, value, version, fence = stored[1], stored[2], stored[3], stored[4]
if not format then
  if redis.call('EXISTS', document) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the document has no format number')
  end
  return {'Missing'}
end
if format ~= '1' or not (value and version) then
  return redis.error_reply('RLUA_BAD_STATE the document is not in format 1')
end
return {'Found', value, version, fence}
