-- Hours of a range with a minute rolled up since their own level was: the level's row may lack it.
SELECT DISTINCT level, toUnixTimestamp(toStartOfHour(minute)) AS hour
FROM rolled
CROSS JOIN (SELECT level, max(received_until) AS covered_until FROM progress WHERE level IN ('hour', 'day') GROUP BY level) AS done
WHERE minute >= {since:UInt32} AND minute < {until:UInt32}
    AND revision > toUnixTimestamp64Micro(covered_until)
