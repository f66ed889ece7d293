-- Hours of a range that a level does not hold: still open when it was rolled up, or with a minute rolled up since.
SELECT DISTINCT level, toUnixTimestamp(toStartOfHour(minute)) AS hour
FROM rolled
CROSS JOIN
(
    SELECT level, max(received_until) AS covered_until, max(open_from) AS open_from
    FROM progress
    WHERE level IN ('hour', 'day')
    GROUP BY level
) AS done
WHERE rolled.minute >= {since:UInt32} AND rolled.minute < {until:UInt32}
    AND (rolled.revision > toUnixTimestamp64Micro(covered_until) OR rolled.minute >= open_from)
