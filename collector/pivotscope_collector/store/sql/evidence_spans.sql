-- Per service and language: when it was looked at. Buckets of {step} seconds with a window, and the ends of its raw
-- windows, for which those of the first and last bucket of any service are read.
WITH buckets AS
(
    SELECT
        service, language,
        uniqExact(intDiv(toUnixTimestamp(p.bucket), {step:UInt32})) AS covered,
        toUInt64(intDiv(min(toUnixTimestamp(p.bucket)), {step:UInt32}) * {step:UInt32}) AS first,
        toUInt64(intDiv(max(toUnixTimestamp(p.bucket)), {step:UInt32}) * {step:UInt32} + {step:UInt32}) AS last
    FROM ${pools} AS p
    WHERE p.windows > 0
    GROUP BY service, language
)
SELECT
    buckets.service AS service,
    buckets.language AS language,
    buckets.covered AS covered,
    buckets.first AS first,
    buckets.last AS last,
    raw.first_ns AS raw_first_ns,
    raw.last_ns AS raw_last_ns
FROM buckets
LEFT JOIN
(
    SELECT
        service, language,
        min(toUnixTimestamp64Milli(started_at)) * 1000000 AS first_ns,
        max(toUnixTimestamp64Milli(started_at) * 1000000 + toInt64(duration_ns)) AS last_ns
    FROM windows
    WHERE ${selected} AND minute IN
    (
        SELECT DISTINCT toDateTime(start + arrayJoin(range(0, {step:UInt32}, 60)), 'UTC')
        FROM (SELECT DISTINCT arrayJoin([first, last - {step:UInt32}]) AS start FROM buckets)
    )
    GROUP BY service, language
) AS raw ON raw.service = buckets.service AND raw.language = buckets.language
ORDER BY service, language
