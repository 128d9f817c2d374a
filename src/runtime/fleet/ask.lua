-- Leases slices of shared limits. All hosts count by this clock.
-- KEYS: hosts, number of the last news, then one for each limit.
-- ARGV: this host, microseconds after which a silent host is gone, then for each limit: nanoseconds
-- of one, nanoseconds of a burst, spent without a slice, given back of a slice, since when (in
-- microseconds) that was leased, wanted.
-- Answer: the time in microseconds, hosts, number of the last news, then for each limit: granted,
-- microseconds that the limit is used ahead of now.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local answer = {now, redis.call('ZCARD', KEYS[1]), tonumber(redis.call('GET', KEYS[2]) or '0')}
for place = 3, #KEYS do
  local key, at = KEYS[place], 3 + (place - 3) * 6
  local interval, depth = ARGV[at] / 1000, ARGV[at + 1] / 1000
  local debt, back = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local since, want = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  -- When the limit will have recovered in full, and when it was last seen to have.
  local held = redis.call('HMGET', key, 'recovered', 'full')
  local recovered, full = tonumber(held[1] or '0'), tonumber(held[2] or '0')
  if recovered <= now then
    recovered, full = now, now
  end
  -- A slice from before the limit was full has recovered already.
  if full <= since then
    recovered = math.max(now, recovered - back * interval)
  end
  recovered = recovered + debt * interval
  local free = math.floor((now + depth - recovered) / interval + 0.000001)
  local granted = math.max(0, math.min(want, free))
  recovered = recovered + granted * interval
  if recovered > now then
    redis.call('HSET', key, 'recovered', string.format('%.3f', recovered),
      'full', string.format('%.0f', full))
    redis.call('PEXPIRE', key, math.ceil((recovered - now) / 1000) + 1000)
  else
    redis.call('DEL', key)
  end
  answer[#answer + 1] = granted
  answer[#answer + 1] = math.ceil(recovered - now)
end
return answer
