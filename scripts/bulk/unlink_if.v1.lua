#!lua flags=allow-oom
--- Remove many documents of one group at once, each if it is not newer than what is known.
--
-- A document goes when its version is at most the one that is given for it: whoever heard
-- late of a removal does not take what was stored since. kept names the others by their
-- index, from 0, with the version that is stored. gone counts those that are no longer
-- there, absent ones among them: a call sent again gets the same answer.
--
-- @version 1.0.0
-- @key     documents... bulk:{<group>}:<key> hash 1..64 expires
-- @arg     rows:(version:int 0..9_007_199_254_740_991)... 1..64
-- @returns Removed     gone:int kept:(index:int version:int)...
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   documents bulk-document/1
-- @retry   safe
-- @budget  calls<=129 growth=linear n=keys
-- @example what is newer stays
--   bulk.set_if group=users key=[1, 2] ttl=1h rows=[(7, ann) (3, bob)] -> Stored stored=2
--   unlink_if group=users key=[1, 2, 3] rows=[(7) (2) (9)] -> Removed gone=2 kept=[(1, 3)]
--   unlink_if group=users key=[1, 2, 3] rows=[(7) (2) (9)] -> Removed gone=2 kept=[(1, 3)]
-- @example all of them
--   bulk.set_if group=users key=[1] ttl=1h rows=[(7, ann)] -> Stored
--   unlink_if group=users key=[1] rows=[(9007199254740991)] -> Removed gone=1 kept=[]

local rows = ARGV[1]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

rows = integer(rows, 1, 64)
if not rows or rows ~= #KEYS or 1 + rows ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT rows must be as many as there are keys, 1..64')
end

local kept, removed = {}, {}
for index = 1, #KEYS do
  local most = integer(ARGV[1 + index], 0, 9007199254740991)
  if not most then
    return redis.error_reply('RLUA_BAD_ARGUMENT version must be an integer in 0..9007199254740991')
  end
  local found = redis.call('HMGET', KEYS[index], 'v', 'n')
  local version = integer(found[2], 0, 9007199254740991)
  if not found[1] then
    if redis.call('EXISTS', KEYS[index]) == 1 then
      return redis.error_reply('RLUA_BAD_STATE a document has no format number')
    end
  elseif found[1] ~= '1' or not version then
    return redis.error_reply('RLUA_BAD_STATE a document is not in format 1')
  elseif version <= most then
    removed[#removed + 1] = KEYS[index]
  else
    kept[#kept + 1] = index - 1
    kept[#kept + 1] = version
  end
end
if #removed > 0 then
  redis.call('UNLINK', unpack(removed))
end
return {'Removed', #KEYS - #kept / 2, unpack(kept)}
