#!lua
--- Replace a value of a key that the caller owns, and return the one before.
--
-- @version 1.0.0
-- @key     held   <key> string
-- @arg     value  str 0..64
-- @returns str?
-- @retry   never
-- @budget  calls<=2 growth=1
-- @example the first call finds nothing
--   own key=any:thing value=one -> none
--   own key=any:thing value=two -> one

local held = KEYS[1]
local value = ARGV[1]

local before = redis.call('GET', held)
redis.call('SET', held, value)
return before
