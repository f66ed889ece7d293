-- Services of the last ninety days that were rolled up, and of what came since, in order; {most} at most.
SELECT DISTINCT service
FROM
(
    SELECT service FROM pools_day WHERE bucket >= (SELECT max(bucket) FROM pools_day) - toIntervalDay(90)
    UNION ALL
    SELECT service FROM pools_hour WHERE bucket >= (SELECT max(bucket) FROM pools_day)
    UNION ALL
    SELECT service FROM pools_minute WHERE bucket >= (SELECT max(bucket) FROM pools_hour)
    UNION ALL
    SELECT service FROM windows WHERE minute >= (SELECT max(bucket) FROM pools_minute)
)
ORDER BY service
LIMIT {most:UInt32}
