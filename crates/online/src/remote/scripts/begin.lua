-- KEYS: the view. Begins a load, in place of one that has not ended; returns its generation.
local other = redis.call('HGET', KEYS[1], 'stage')
if other then throw_away(other) end
local stage = redis.call('INCR', 'bedplate:generations')
redis.call('HSET', KEYS[1], 'stage', stage, 'staged', 0)
return stage
