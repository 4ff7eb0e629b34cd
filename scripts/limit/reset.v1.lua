#!lua flags=allow-oom
--- Forget everything about a subject: each limit is whole again, and no block is left.
--
-- It goes for all limiters of the family, whichever the subject has. existed tells whether
-- there was anything. A call sent again forgets again, what was taken in between included.
--
-- @version 1.0.0
-- @key     state       limit:{<subject>}:gcra string expires
-- @key     settled     limit:{<subject>}:settled zset expires
-- @key     tiers       limit:{<subject>}:tiers hash expires
-- @key     block       limit:{<subject>}:block string expires
-- @key     bucket      limit:{<subject>}:bucket hash expires
-- @key     window      limit:{<subject>}:window hash expires
-- @key     log         limit:{<subject>}:log zset expires
-- @key     counter     limit:{<subject>}:counter string expires
-- @returns Reset       existed:bool
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   tiers limit-tiers/1
-- @state   bucket limit-bucket/1
-- @state   window limit-window/1
-- @retry   safe
-- @budget  calls<=12 growth=1
-- @example the burst is whole again
--   limit.gcra subject=user:1 limit=5 period=60s burst=5 cost=5 -> Allowed remaining=0
--   reset subject=user:1 -> Reset existed=true
--   limit.gcra subject=user:1 limit=5 period=60s burst=5 cost=5 -> Allowed remaining=0
-- @example a block is lifted
--   limit.block subject=user:2 span=60s -> Blocked
--   reset subject=user:2 -> Reset existed=true
--   reset subject=user:2 -> Reset existed=false
--   limit.block subject=user:2 mode=check -> Free

local state, settled, tiers, block, bucket, window, log, counter =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]

-- UNLINK takes keys of any type: these refuse all but those that limiters have.
for _, text in ipairs({state, block, counter}) do
  redis.call('STRLEN', text)
end
for _, sorted in ipairs({settled, log}) do
  redis.call('ZCARD', sorted)
end
for _, hash in ipairs({tiers, bucket, window}) do
  local format = redis.call('HGET', hash, 'v')
  if format and format ~= '1' or not format and redis.call('EXISTS', hash) == 1 then
    return redis.error_reply('RLUA_BAD_STATE a limiter of the subject is not in format 1')
  end
end
local removed = redis.call('UNLINK', state, settled, tiers, block, bucket, window, log, counter)
return {'Reset', removed > 0 and 1 or 0}
