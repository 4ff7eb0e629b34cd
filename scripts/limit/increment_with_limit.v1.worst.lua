#!lua
-- A counter of sixteen digits without an expiry, which the call has to set again, up to a
-- moment of the calendar, for which it asks the time.
-- @call limit=9007199254740991 reset_at=4102444800000ms renew=always
local counter = KEYS[1]

redis.call('SET', counter, '4503599627370496')
