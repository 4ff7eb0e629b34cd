#!lua flags=no-writes
--- Double a number, however large.
--
-- @version 2.1.0
-- @key     note   kitchen:{<room>}:twice string
-- @arg     number int
-- @returns Doubled value:int was:int
-- @retry   safe
-- @budget  calls<=0 growth=1
-- @requires redis>=7.0 valkey>=7.2
-- @example two and two
--   twice room=a number=2 -> Doubled value=4 was=2
--   twice_v1 room=a number=3 -> Doubled value=6

return {'Doubled', 2 * tonumber(ARGV[1]), tonumber(ARGV[1])}
