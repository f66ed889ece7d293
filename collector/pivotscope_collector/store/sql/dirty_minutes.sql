-- Minutes of a selection with windows beyond what the roll-up of minutes says that it covers, and when the last one came.
SELECT toUnixTimestamp(minute) AS minute_s, toUnixTimestamp64Micro(max(received_at)) AS received_us
FROM ${came}
GROUP BY minute
ORDER BY minute
