#!lua
--- Count a ring of the bell and tell whoever listens.
--
-- @version 1.0.0
-- @key     rings  kitchen:{<room>}:rings hash
-- @arg     who    str 1..16
-- @channel bell   kitchen:{<room>}:bell
-- @returns Rung   count:int
-- @state   rings kitchen-rings/1
-- @retry   conservative
-- @budget  calls<=3 growth=1
-- @example a reply's field can be used again
--   ring room=a who=ann -> Rung count=1
--   ring room=a who=bob -> Rung count=2
--   wait 5ms
--   echo room=a page=1 whole=$2.count text=x blob='' owner=me -> Echo whole=2

local rings = KEYS[1]
local who, bell = ARGV[1], ARGV[2]

redis.call('HSET', rings, 'v', 1)
local count = redis.call('HINCRBY', rings, 'count', 1)
redis.call('SPUBLISH', bell, who)
return {'Rung', count}
