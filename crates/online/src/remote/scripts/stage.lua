-- KEYS: the view. ARGV: the load's generation, rows. They are seen by nobody yet.
if redis.call('HGET', KEYS[1], 'stage') ~= ARGV[1] then
  return redis.error_reply('SUPERSEDED another load of the view was begun')
end
redis.call('HINCRBY', KEYS[1], 'staged', put_all(ARGV[1], 2))
return 0
