#!lua flags=allow-oom
--- Delete a document if its version or a fence allows it.
--
-- Modes: `match` only the version in expected; `any` whatever is there; `fence`
-- only when no greater fence was stored, expected being the caller's fence. The
-- fence goes with the document: nothing then stops a former holder of the lock
-- from storing it again. A call sent again after it was executed answers
-- `Missing`, or finds what somebody stored since: the version in expected is gone
-- for good, while `any` and `fence` delete again.
--
-- @version 1.0.0
-- @key     document   cache:{<key>}:document hash
-- @arg     mode       enum(match, any, fence)
-- @arg     expected   str 1..64 = none
-- @returns Deleted
-- @returns Conflict   version:str
-- @returns StaleFence fence:str
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   document cache-document/1
-- @retry   safe
-- @budget  calls<=2 growth=1
-- @example only the version that was read
--   cache.conditional_update key=doc:1 mode=create value=one token=t1 -> Stored
--   cache.conditional_update key=doc:1 mode=any value=two token=t2 -> Stored
--   conditional_delete key=doc:1 mode=match expected=$1.version -> Conflict version=$2.version
--   conditional_delete key=doc:1 mode=match expected=$2.version -> Deleted
--   conditional_delete key=doc:1 mode=match expected=$2.version -> Missing
-- @example a holder that lost its lock cannot delete
--   cache.conditional_update key=doc:2 mode=fence expected=34 value=new token=t1 -> Stored
--   conditional_delete key=doc:2 mode=fence expected=33 -> StaleFence fence=34
--   conditional_delete key=doc:2 mode=fence expected=9 -> StaleFence fence=34
--   conditional_delete key=doc:2 mode=any -> Deleted

local document = KEYS[1]
local mode, expected = ARGV[1], ARGV[2]

-- Fences exceed what a number holds exactly, so they are compared as text.
local function fence_digits(text)
  local digits = text and text:match('^0*(%d+)$')
  return digits and #digits <= 19 and digits or nil
end

local function is_less(first, second)
  if #first ~= #second then
    return #first < #second
  end
  return first < second
end

if mode ~= 'match' and mode ~= 'any' and mode ~= 'fence' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be match, any or fence')
end
if not expected or #expected > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be at most 64 bytes')
end
if (mode ~= 'any') ~= (expected ~= '') then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be given with match and fence alone')
end
local fence = fence_digits(expected)
if mode == 'fence' and not fence then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be a decimal of at most 19 digits')
end

local stored = redis.call('HMGET', document, 'v', 'n', 'f')
local format, version = stored[1], stored[2]
local stored_fence = fence_digits(stored[3])
if not format then
  if redis.call('EXISTS', document) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the document has no format number')
  end
  return {'Missing'}
end
if format ~= '1' or not version or (stored[3] and not stored_fence) then
  return redis.error_reply('RLUA_BAD_STATE the document is not in format 1')
end

if mode == 'match' and version ~= expected then
  return {'Conflict', version}
end
if mode == 'fence' and stored_fence and is_less(fence, stored_fence) then
  return {'StaleFence', stored_fence}
end
redis.call('UNLINK', document)
return {'Deleted'}
