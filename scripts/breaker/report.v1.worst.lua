#!lua
-- A circuit that this call opens: all calls of the window have failed; or an open one, whose
-- probe failed.
-- @call outcome=failure owner=<high> least=1
-- @call outcome=failure owner=pppppppppppppppppppppppppppppppppppppppppppppppp least=2
local circuit, least = KEYS[1], ARGV[5]

if least == '1' then
  redis.call(
    'HSET', circuit, 'v', '1', 'w', '4102444800000', 'c', '999', 'f', '999', 'b', '999', 'g', '999'
  )
else
  redis.call(
    'HSET', circuit, 'v', '1', 'u', '1700000000000', 'o', '1700000000000', 'n', '9',
    'p', string.rep('p', 48), 'a', '1700000000000', 'e', '1700000000001'
  )
end
redis.call('PEXPIRE', circuit, 600000)
