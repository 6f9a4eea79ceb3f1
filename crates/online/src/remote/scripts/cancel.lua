#!lua flags=allow-oom
-- KEYS: the view. ARGV: the load's generation.
if redis.call('HGET', KEYS[1], 'stage') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'stage', 'staged')
  throw_away(ARGV[1])
end
return 0
