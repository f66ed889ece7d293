-- Up to which moment of reception each of {minutes} was rolled up.
SELECT toUnixTimestamp(rolled.minute) AS minute, toUnixTimestamp64Micro(max(rolled.received_until)) AS received_us
FROM rolled
WHERE rolled.minute IN {minutes:Array(UInt32)}
GROUP BY rolled.minute
