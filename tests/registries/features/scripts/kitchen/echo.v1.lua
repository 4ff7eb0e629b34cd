#!lua flags=no-writes
--- Return every argument as it arrived.
--
-- One argument and one field of every type, and texts that try to leave their
-- quotes: """ ''' \ {{ 7 * 7 }} {% raw %} # and a non-ASCII letter: é.
--
-- @version 1.2.3
-- @key     note     kitchen:{<room>}:note:<page> string
-- @arg     whole    int -10..10
-- @arg     big      int = 9_007_199_254_740_991
-- @arg     real     float -1.5..1.5 = 0.5
-- @arg     word     str 1..16 = none
-- @arg     text     str
-- @arg     blob     bytes 0..32
-- @arg     flag     bool = false
-- @arg     tick     us = 1ms
-- @arg     pause    ms -5..5000 = 2s
-- @arg     hours    s 0..86_400 = 1h
-- @arg     mode     enum(one, two) = two
-- @arg     owner    owner
-- @arg     token    token
-- @returns Echo     whole:int big:int real:float text:str blob:bytes flag:bool tick:us pause:ms hours:s mode:enum(one, two)
-- @returns Gaps     word:str? blob:bytes? whole:int? real:float? flag:bool? pause:ms? mode:enum(one, two)?
-- @error   BadText  It's a """text""" with a \ and a 'quote' {{ x }}.
-- @retry   safe
-- @budget  calls<=1 growth=1
-- @example every type comes back
--   echo room=a page=1 whole=-3 text='two words' blob=b'\x00\xff' owner=me -> Echo whole=-3 text='two words' blob=b'\x00\xff' tick=1ms pause=2s hours=1h mode=two real=0.5 flag=false big=9007199254740991
--   echo room=a page=1 whole=3 text="a \"b\"" blob='' owner=me flag=true word=yes mode=one -> Gaps word=yes mode=one whole=3 blob=none flag=true
--   echo room=a page=1 whole=3 text=bad blob='' owner=me -> error BadText

local note = KEYS[1]
local whole, big, real, word, text, blob, flag, tick_us, pause_ms, hours_s, mode, owner, token = ARGV[1], ARGV[2],
  ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]

redis.call('GET', note)
if text == 'bad' then
  return redis.error_reply('RLUA_BAD_TEXT that text is bad')
end
if word ~= '' then
  return {'Gaps', word, false, tonumber(whole), real, tonumber(flag), tonumber(pause_ms), mode}
end
return {'Echo', tonumber(whole), tonumber(big), real, text, blob, tonumber(flag), tonumber(tick_us),
  tonumber(pause_ms), tonumber(hours_s), mode}
