-- KEYS: the view. ARGV: the load's generation. Makes all of its rows visible at once. Returns how many were new; -1 when they
-- are visible and still to be folded into the others; -2 when an earlier load has to be folded first.
local stage, base, over, rows = unpack(redis.call('HMGET', KEYS[1], 'stage', 'base', 'over', 'rows'))
-- Asked again, since the answer was lost.
if base == ARGV[1] then return tonumber(rows) end
if over == ARGV[1] then return -1 end
if stage ~= ARGV[1] then
  return redis.error_reply('SUPERSEDED another load of the view was begun')
end
if over then return -2 end
local staged = tonumber(redis.call('HGET', KEYS[1], 'staged'))
redis.call('HDEL', KEYS[1], 'stage', 'staged')
if staged == 0 then
  throw_away(ARGV[1])
  return 0
end
if tonumber(rows or 0) == 0 then
  if base then throw_away(base) end
  redis.call('HSET', KEYS[1], 'base', ARGV[1], 'rows', staged)
  return staged
end
redis.call('HSET', KEYS[1], 'over', ARGV[1])
return -1
