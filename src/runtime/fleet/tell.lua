-- Tells all hosts of blocks and measures; of two about the same thing the later one stays.
-- KEYS: what holds, when it ends, number of the last news.
-- ARGV: the channel, most that may hold, then for each: name, when it was ordered, when it ends
-- (0: never), content. Times in microseconds.
-- Answer: how many found no place.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 200)
for _, name in ipairs(ended) do
  redis.call('HDEL', KEYS[1], name)
  redis.call('ZREM', KEYS[2], name)
end
local refused = 0
for at = 3, #ARGV, 4 do
  local name, ends, content = ARGV[at], ARGV[at + 2], ARGV[at + 3]
  -- Nobody orders in the future, however wrong a clock is.
  local ordered = math.min(tonumber(ARGV[at + 1]), now)
  local held = redis.call('HGET', KEYS[1], name)
  local known = held and tonumber(string.match(held, '^(%d+) ')) or -1
  if not held and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then
    refused = refused + 1
  elseif known < ordered then
    local stamp = string.format('%.0f', ordered)
    redis.call('HSET', KEYS[1], name, stamp .. ' ' .. content)
    redis.call('ZADD', KEYS[2], ends == '0' and '+inf' or ends, name)
    local number = redis.call('INCR', KEYS[3])
    redis.call('PUBLISH', ARGV[1],
      string.format('%.0f', number) .. ' ' .. name .. ' ' .. stamp .. ' ' .. content)
  end
end
return refused
