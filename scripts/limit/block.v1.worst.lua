#!lua
-- A subject that is shut out already, and for less time.
redis.call('SET', KEYS[1], '1', 'PX', 600000)
