-- Closed buckets of levels, of {sizes} seconds and before {opens}, with a minute that was rolled up since the level was, by
-- {horizon}; the smallest first, of which larger ones are made.
SELECT DISTINCT level, size, toUInt32(intDiv(toUnixTimestamp(minute), size) * size) AS start
FROM
(
    SELECT minute, revision, level, size, open
    FROM rolled
    ARRAY JOIN {levels:Array(String)} AS level, {sizes:Array(UInt32)} AS size, {opens:Array(UInt32)} AS open
    WHERE revision <= {horizon:UInt64} AND minute >= {oldest:UInt32}
) AS seen
LEFT JOIN
(
    SELECT level, max((received_until, open_from)) AS covered
    FROM progress
    GROUP BY level
) AS done ON done.level = seen.level
WHERE minute < open AND (revision > toUnixTimestamp64Micro(covered.1) OR minute >= covered.2)
ORDER BY size, start
