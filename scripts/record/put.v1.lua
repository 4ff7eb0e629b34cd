#!lua
--- Store a record whole: these fields, and none that were there before.
--
-- A record is a hash of its fields and nothing else, so other commands may read it.
-- Modes: `any` always; `absent` only where no record is; `present` only over one that is
-- there, so that what has expired does not come back. The record expires ttl after it was
-- stored; no moment passes at which it is half there or has no expiry.
--
-- A record that is there already with the same fields and values counts as stored by
-- `absent` and keeps its expiry: sent again, such a call gets the same answer, unless
-- another changed the record in between. With `any` and `present` the call sent again
-- stores again.
--
-- A field holds up to 4 KiB and a record 64 fields; keep larger values in documents of
-- `cache`. An evicted record is missing as a whole.
--
-- @version 1.0.0
-- @key     record      record:{<key>}:fields hash expires
-- @arg     ttl         ms 1..31_622_400_000
-- @arg     mode        enum(any, absent, present) = any
-- @arg     fields:(field:str 1..128 value:bytes 0..4_096)... 1..64
-- @returns Stored      replaced:bool
-- @returns Exists
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=5 growth=linear n=fields
-- @example what was there before is gone
--   put key=user:1 ttl=1h fields=[(name, ada) (mail, a@x)] -> Stored replaced=false
--   put key=user:1 ttl=1h fields=[(name, bob)] -> Stored replaced=true
--   record.get key=user:1 names=[] -> Found expires_after<=1h fields=[(name, bob)]
-- @example only where none is
--   put key=user:2 ttl=1h mode=absent fields=[(name, ada) (age, 36)] -> Stored replaced=false
--   put key=user:2 ttl=1h mode=absent fields=[(age, 36) (name, ada)] -> Stored replaced=false
--   put key=user:2 ttl=1h mode=absent fields=[(name, bob) (age, 36)] -> Exists
--   put key=user:2 ttl=1h mode=absent fields=[(name, ada)] -> Exists
-- @example only where one is
--   put key=user:3 ttl=1h mode=present fields=[(name, ada)] -> Missing
--   put key=user:3 ttl=1h fields=[(name, ada)] -> Stored
--   put key=user:3 ttl=1h mode=present fields=[(name, bob)] -> Stored replaced=true
-- @example each field once
--   put key=user:4 ttl=1h fields=[(name, ada) (name, bob)] -> error BadArgument

local record = KEYS[1]
local ttl_ms, mode, fields = ARGV[1], ARGV[2], ARGV[3]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
if mode ~= 'any' and mode ~= 'absent' and mode ~= 'present' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be any, absent or present')
end
fields = integer(fields, 1, 64)
if not fields or 3 + 2 * fields ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT fields must be the number of pairs behind it, 1..64')
end
local values, count = {}, 0
for at = 4, #ARGV, 2 do
  local field, value = ARGV[at], ARGV[at + 1]
  if #field < 1 or #field > 128 then
    return redis.error_reply('RLUA_BAD_ARGUMENT field must be 1 to 128 bytes')
  end
  if #value > 4096 then
    return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 4096 bytes')
  end
  if values[field] then
    return redis.error_reply('RLUA_BAD_ARGUMENT the fields must be different ones')
  end
  values[field] = value
  count = count + 1
end

local stored = redis.call('HLEN', record)
if mode == 'present' and stored == 0 then
  return {'Missing'}
end
if mode == 'absent' and stored > 0 then
  local is_same = stored == count
  local found = is_same and redis.call('HGETALL', record) or {}
  for at = 1, #found, 2 do
    is_same = is_same and values[found[at]] == found[at + 1]
  end
  if is_same then
    return {'Stored', 0}
  end
  return {'Exists'}
end

if stored > 0 then
  redis.call('UNLINK', record)
end
redis.call('HSET', record, unpack(ARGV, 4))
redis.call('PEXPIRE', record, string.format('%.0f', ttl_ms))
return {'Stored', stored > 0 and 1 or 0}
