-- KEYS: the view. ARGV: rows. Returns how many were new.
local base = redis.call('HGET', KEYS[1], 'base')
if not base then
  base = redis.call('INCR', 'bedplate:generations')
  redis.call('HSET', KEYS[1], 'base', base)
end
local fresh = put_all(base, 1)
-- Written even when nothing was new: who waits for the disk then waits for what others wrote a moment ago too.
redis.call('HINCRBY', KEYS[1], 'rows', fresh)
return fresh
