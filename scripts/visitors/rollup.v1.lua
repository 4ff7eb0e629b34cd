#!lua
--- Fold several pages into one, for counting long spans of time at once.
--
-- into then has seen whoever one of the pages has, and nobody else: what it held before is
-- gone, so a call sent again gives the same. Seven days may so become a week, and twelve
-- months a year. The pages stay. into expires after ttl.
--
-- visitors is the count of into, an estimate as `count` gives it. There are at most 16
-- pages, since Redis 7 takes 30 us for each. When one of them is no sketch nothing is changed.
--
-- @version 1.0.0
-- @key     sketch      visitors:{<site>}:<into> string expires
-- @key     sketches... visitors:{<site>}:<page> string 1..16 expires
-- @arg     ttl         ms 1..31_622_400_000
-- @returns Merged      visitors:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @retry   safe
-- @budget  calls<=23 growth=linear n=keys
-- @example two days are a span
--   visitors.record site=shop page=mon ttl=1h visitors=[(ann) (bob)] -> Changed
--   visitors.record site=shop page=tue ttl=1h visitors=[(bob) (cid)] -> Changed
--   rollup site=shop into=week page=[mon, tue] ttl=1d -> Merged visitors=3
--   rollup site=shop into=week page=[mon, tue] ttl=1d -> Merged visitors=3
--   visitors.count site=shop page=[week] -> Counted visitors=3
-- @example what it held before is gone
--   visitors.record site=shop page=week ttl=1h visitors=[(dan)] -> Changed
--   rollup site=shop into=week page=[mon] ttl=1d -> Merged visitors=0
--   rollup site=shop into=week page=[mon, week] ttl=1d -> error BadArgument

local sketch = KEYS[1]
local ttl_ms = ARGV[1]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
for index = 2, #KEYS do
  if KEYS[index] == sketch then
    return redis.error_reply('RLUA_BAD_ARGUMENT into must be none of the pages')
  end
end

-- Whatever is no sketch is refused before anything is written.
for index = 1, #KEYS do
  local head = redis.call('GETRANGE', KEYS[index], 0, 3)
  if head ~= '' and head ~= 'HYLL' then
    return redis.error_reply('RLUA_BAD_STATE a page is no sketch of visitors')
  end
end

-- What it held must be gone before the others are merged into it. That one of them is broken
-- further in is seen only then: counting them first would take as long again.
local before = redis.call('GET', sketch)
local expires_at_ms = redis.call('PEXPIRETIME', sketch)
redis.call('UNLINK', sketch)
local merged = redis.pcall('PFMERGE', unpack(KEYS))
if merged.err then
  if before then
    redis.call('SET', sketch, before)
    if expires_at_ms > 0 then
      redis.call('PEXPIREAT', sketch, string.format('%.0f', expires_at_ms))
    end
  end
  return redis.error_reply('RLUA_BAD_STATE a page is a broken sketch of visitors')
end
redis.call('PEXPIRE', sketch, string.format('%.0f', ttl_ms))
return {'Merged', redis.call('PFCOUNT', sketch)}
