-- Bloom filter: add and say whether it was (probably) there.
-- KEYS[1] bit field   ARGV[1] item, ARGV[2] bits, ARGV[3] hashes
local bits = tonumber(ARGV[2])
local hashes = tonumber(ARGV[3])
local digest = redis.sha1hex(ARGV[1])
local h1 = tonumber(string.sub(digest, 1, 8), 16)
local h2 = tonumber(string.sub(digest, 9, 16), 16)

local seen = 1
for i = 0, hashes - 1 do
  local offset = (h1 + i * h2) % bits
  if redis.call('SETBIT', KEYS[1], offset, 1) == 0 then
    seen = 0
  end
end
return seen
