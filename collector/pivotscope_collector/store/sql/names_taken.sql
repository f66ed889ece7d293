-- Names of windows by day since 1970 and service: of roll-ups since {since}, and of what came beyond them or in minutes that
-- they left open; each by an index of its own.
SELECT
    toUInt32(intDiv(at, 86400)) AS day,
    toString(of.service) AS service,
    groupUniqArray(toString(of.environment)) AS environments,
    groupUniqArray(toString(of.version)) AS versions,
    groupUniqArray(toString(of.variant)) AS variants
FROM
(
    SELECT toUnixTimestamp(bucket) AS at, service, environment, version, variant
    FROM pools_minute
    WHERE bucket >= {since:UInt32}
    UNION ALL
    SELECT toUnixTimestamp(received_at) AS at, service, environment, version, variant
    FROM windows
    WHERE received_at > fromUnixTimestamp64Micro({covered_us:Int64}, 'UTC')
    UNION ALL
    SELECT toUnixTimestamp(received_at) AS at, service, environment, version, variant
    FROM windows
    WHERE minute >= {open_from:UInt32}
) AS of
GROUP BY day, service
ORDER BY day, service
