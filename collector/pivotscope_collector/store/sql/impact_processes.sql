-- Memory of each process of an arm: proportional set size where it was read, else resident.
SELECT
    concat(host, '/', toString(pid), '/', toString(toUnixTimestamp64Milli(process_started_at))) AS identity,
    if(countIf(proportional_bytes > 0) > 0, avgIf(proportional_bytes, proportional_bytes > 0), avg(resident_bytes)) AS mean_bytes,
    max(if(proportional_bytes > 0, proportional_bytes, resident_bytes)) AS peak_bytes
FROM windows FINAL
WHERE ${pools}
    AND minute >= toStartOfMinute(fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC'))
    AND started_at >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND started_at < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    AND resident_bytes > 0
GROUP BY host, pid, process_started_at
ORDER BY identity
