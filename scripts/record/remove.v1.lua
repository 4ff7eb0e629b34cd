#!lua flags=allow-oom
--- Remove a record.
--
-- `Missing` says that there was none: it was never there, has expired, or an earlier sending
-- of the same call removed it.
--
-- @version 1.0.0
-- @key     record      record:{<key>}:fields hash expires
-- @returns Removed
-- @returns Missing
-- @retry   safe
-- @budget  calls<=2 growth=1
-- @example it is gone
--   record.put key=user:1 ttl=1h fields=[(name, ada)] -> Stored
--   remove key=user:1 -> Removed
--   remove key=user:1 -> Missing
-- @example its fields are gone, too
--   record.put key=user:2 ttl=1h fields=[(name, ada)] -> Stored
--   remove key=user:2 -> Removed
--   record.patch key=user:2 sets=[(name, bob)] deletes=[] -> Missing
--   record.get key=user:2 names=[] -> Missing

local record = KEYS[1]

-- A key of another type is refused here, which UNLINK would not do.
if redis.call('HLEN', record) == 0 then
  return {'Missing'}
end
redis.call('UNLINK', record)
return {'Removed'}
