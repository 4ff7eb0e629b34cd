-- growing bloom filter: layers <base>:1, <base>:2 … each twice the size of the last
local capacity = ARGV[1]
local error_rate = ARGV[2]
local digest = redis.sha1hex(ARGV[3])
local base = KEYS[1]

local added = redis.call('GET', base .. ':added') or 0

-- which layer is being filled?
local layer, room = 1, tonumber(capacity)
while added >= room do
  layer = layer + 1
  room = room + capacity * 2 ^ (layer - 1)
end

local size = capacity * 2 ^ (layer - 1)
local bits = math.ceil(-size * math.log(error_rate / 2 ^ layer) / 0.480453)
local hashes = math.ceil(bits / size * 0.693147)

local words = {}
for w = 0, 3 do
  words[w] = tonumber(string.sub(digest, w * 8 + 1, w * 8 + 8), 16)
end

local known = true
for i = 1, hashes do
  local at = (words[i % 4] + i * words[(i + 1) % 4]) % bits
  if redis.call('SETBIT', base .. ':' .. layer, at, 1) == 0 then
    known = false
  end
end

if not known then
  redis.call('INCR', base .. ':added')
end
return known
