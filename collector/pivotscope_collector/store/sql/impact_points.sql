-- Points of series, the last one a step (0: all) and start of counting, in order of series and time.
SELECT series_id, at_ns, start_ns, value, buckets
FROM
(
    SELECT
        series_id,
        toUnixTimestamp64Nano(toDateTime64(at, 9, 'UTC')) AS at_ns,
        toUnixTimestamp64Nano(toDateTime64(start_at, 9, 'UTC')) AS start_ns,
        value, buckets
    FROM points FINAL
    WHERE service = {service:String}
        AND series_id IN {series_ids:Array(UInt64)}
        AND at >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
        AND at < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    ORDER BY series_id, at DESC
    LIMIT 1 BY series_id, start_ns, if({step_ns:Int64} = 0, at_ns, intDiv(at_ns, greatest({step_ns:Int64}, 1)))
)
ORDER BY series_id, at_ns
