#!lua flags=no-writes
--- Return many documents of one group as they are at one moment, each with its version.
--
-- rows holds those that are there, by their index, from 0.
--
-- @version 1.0.0
-- @key     documents... bulk:{<group>}:<key> hash 1..64 expires
-- @returns Found        rows:(index:int version:int value:bytes)...
-- @error   BadState     The key holds a state that this version of the family does not understand.
-- @state   documents bulk-document/1
-- @retry   safe
-- @budget  calls<=128 growth=linear n=keys
-- @example those that are there
--   bulk.set_if group=users key=[1, 2] ttl=1h rows=[(7, ann) (3, bob)] -> Stored stored=2
--   read group=users key=[2, 9, 1] -> Found rows=[(0, 3, bob) (2, 7, ann)]
-- @example none
--   read group=users key=[4] -> Found rows=[]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local reply = {'Found'}
for index = 1, #KEYS do
  local found = redis.call('HMGET', KEYS[index], 'v', 'n', 'd')
  local version = integer(found[2], 0, 9007199254740991)
  if found[1] then
    if found[1] ~= '1' or not version or not found[3] then
      return redis.error_reply('RLUA_BAD_STATE a document is not in format 1')
    end
    reply[#reply + 1] = index - 1
    reply[#reply + 1] = version
    reply[#reply + 1] = found[3]
  elseif redis.call('EXISTS', KEYS[index]) == 1 then
    return redis.error_reply('RLUA_BAD_STATE a document has no format number')
  end
end
return reply
