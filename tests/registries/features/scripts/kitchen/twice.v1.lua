#!lua flags=no-writes
--- Double a number.
--
-- @version 1.0.0
-- @key     note   kitchen:{<room>}:twice string
-- @arg     number int 0..1000
-- @returns Doubled value:int
-- @retry   safe
-- @budget  calls<=0 growth=1
-- @deprecated Use kitchen.twice, which takes "larger" numbers.
-- @example two and two
--   twice room=a number=2 -> Doubled value=4

return {'Doubled', 2 * tonumber(ARGV[1])}
