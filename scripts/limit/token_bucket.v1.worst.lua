#!lua
-- A bucket that nobody touched for a year, with no expiry. With a refill of 0 the call also
-- asks for the expiry, finds none, and is refused while it sets one.
-- @call capacity=1000000000 refill=1000000000 period=31622400s cost=1
-- @call capacity=1000000000 refill=0 period=31622400s idle=31622400s cost=1000000000
local bucket = KEYS[1]

local time = redis.call('TIME')
local since_us = (tonumber(time[1]) - 31536000) * 1000000

redis.call('HSET', bucket, 'v', '1', 'b', '1', 't', string.format('%.0f', since_us))
