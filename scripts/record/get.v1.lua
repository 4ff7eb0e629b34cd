#!lua flags=no-writes
--- Return fields of a record as they are at one moment.
--
-- Those in names, or all when there are none; fields that the record does not have are left
-- out, so that `Missing` means that there is no record. All are returned of a record of up
-- to 64 fields, as this family writes them; of a larger one name those you want, up to 64.
-- expires_after is absent when other commands took the expiry away.
--
-- @version 1.0.0
-- @key     record      record:{<key>}:fields hash expires
-- @arg     names:(field:str 1..128)... 0..64
-- @returns Found       expires_after:ms? fields:(field:str value:bytes)...
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   TooLarge    The record has more fields than the call may deal with.
-- @retry   safe
-- @budget  calls<=3 growth=linear n=names
-- @example some, and all
--   record.put key=user:1 ttl=1h fields=[(name, ada) (mail, a@x)] -> Stored
--   get key=user:1 names=[(mail) (nobody)] -> Found expires_after<=1h fields=[(mail, a@x)]
--   get key=user:1 names=[(nobody)] -> Found fields=[]
--   get key=user:1 names=[] -> Found fields=[(name, ada) (mail, a@x)]
-- @example no record
--   get key=user:2 names=[] -> Missing
--   get key=user:2 names=[(name)] -> Missing

local record = KEYS[1]
local names = ARGV[1]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

names = integer(names, 0, 64)
if not names or 1 + names ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT names must be the number of fields behind it, 0..64')
end

local count = redis.call('HLEN', record)
if count == 0 then
  return {'Missing'}
end
if names == 0 and count > 64 then
  return redis.error_reply('RLUA_TOO_LARGE the record has more than 64 fields')
end
local left_ms = redis.call('PTTL', record)
local reply = {'Found', left_ms >= 0 and left_ms}
if names == 0 then
  local found = redis.call('HGETALL', record)
  for at = 1, #found do
    reply[2 + at] = found[at]
  end
  return reply
end
local found = redis.call('HMGET', record, unpack(ARGV, 2))
for at = 1, names do
  if found[at] then
    reply[#reply + 1] = ARGV[1 + at]
    reply[#reply + 1] = found[at]
  end
end
return reply
