-- Stack rows of each service in some minutes.
SELECT toUnixTimestamp(minute) AS minute, service, sum(length(stack_ids)) AS rows
FROM windows
WHERE minute IN {minutes:Array(UInt32)} AND samples > 0
GROUP BY minute, service
ORDER BY minute, service
