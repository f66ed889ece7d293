-- Per service and language: when it was looked at. Buckets of {step} seconds with a window, and the raw windows' ends.
SELECT
    buckets.service AS service,
    buckets.language AS language,
    buckets.covered AS covered,
    buckets.first AS first,
    buckets.last AS last,
    raw.first_ns AS raw_first_ns,
    raw.last_ns AS raw_last_ns
FROM
(
    SELECT
        service, language,
        uniqExact(intDiv(toUnixTimestamp(p.bucket), {step:UInt32})) AS covered,
        toUInt64(intDiv(min(toUnixTimestamp(p.bucket)), {step:UInt32}) * {step:UInt32}) AS first,
        toUInt64(intDiv(max(toUnixTimestamp(p.bucket)), {step:UInt32}) * {step:UInt32} + {step:UInt32}) AS last
    FROM ${pools} AS p
    WHERE p.windows > 0
    GROUP BY service, language
) AS buckets
LEFT JOIN
(
    SELECT
        service, language,
        min(toUnixTimestamp64Milli(started_at)) * 1000000 AS first_ns,
        max(toUnixTimestamp64Milli(started_at) * 1000000 + toInt64(duration_ns)) AS last_ns
    FROM windows
    WHERE ${selected}
    GROUP BY service, language
) AS raw ON raw.service = buckets.service AND raw.language = buckets.language
ORDER BY service, language
