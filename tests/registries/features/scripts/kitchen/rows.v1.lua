#!lua
--- Store rows and return them, the largest count first.
--
-- @version 1.0.0
-- @key     shelf  kitchen:{<room>}:shelf zset expires
-- @arg     keep   ms 1..60_000
-- @arg     items:(id:str 1..8 count:int 0..1000)... 1..8
-- @arg     marks:(a:int b:bytes c:bool)... 0..4
-- @returns Rows   total:int rows:(id:str count:int)...
-- @retry   safe
-- @budget  calls<=10 growth=linear n=items
-- @example rows go in and come out
--   rows room=a keep=1s items=[(cup, 2) (pan, 7)] marks=[] -> Rows total=9 rows=[(pan, 7) (cup, 2)]
--   rows room=a keep=1s items=[(pot, 1)] marks=[(1, b'\x00', true)] -> Rows total=10

local shelf = KEYS[1]
local keep_ms = ARGV[1]

local total, count = 0, tonumber(ARGV[2])
for row = 1, count do
  redis.call('ZADD', shelf, ARGV[2 * row + 2], ARGV[2 * row + 1])
end
redis.call('PEXPIRE', shelf, keep_ms)
local found = redis.call('ZRANGE', shelf, 0, 63, 'REV', 'WITHSCORES')
for at = 2, #found, 2 do
  found[at] = tonumber(found[at])
  total = total + found[at]
end
return {'Rows', total, unpack(found)}
