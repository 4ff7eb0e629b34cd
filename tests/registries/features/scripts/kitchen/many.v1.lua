#!lua flags=no-writes
--- Count which of several keys exist.
--
-- @version 1.0.0
-- @key     entries... kitchen:{<room>}:entry:<item> string 1..16
-- @returns int
-- @retry   safe
-- @budget  calls<=16 growth=linear n=keys
-- @example none is there
--   many room=a item=[x y z] -> 0
--   many room=a item=[x] -> <=1

local found = 0
for at = 1, #KEYS do
  found = found + redis.call('EXISTS', KEYS[at])
end
return found
