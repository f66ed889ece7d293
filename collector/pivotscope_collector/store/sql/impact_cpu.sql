-- CPU of an arm's processes a block of time counted from since_ns: each window's CPU spread evenly over its time.
SELECT
    block,
    sum(cpu_ns * overlap_ns / greatest(duration_ns, 1)) AS cpu_ns,
    sum(overlap_ns) AS covered_ns,
    uniqExact(process) AS processes
FROM
(
    SELECT
        process, cpu_ns, duration_ns, block,
        least(offset_ns + duration_ns, (block + 1) * {block_ns:Int64}) - greatest(offset_ns, block * {block_ns:Int64}) AS overlap_ns
    FROM
    (
        SELECT
            cityHash64(host, pid, process_started_at) AS process,
            toUnixTimestamp64Nano(toDateTime64(started_at, 9, 'UTC')) - {since_ns:Int64} AS offset_ns,
            greatest(toInt64(w.duration_ns), 1) AS duration_ns,
            toFloat64(cpu_user_ns + cpu_system_ns + gap_cpu_ns) AS cpu_ns
        FROM windows AS w FINAL
        WHERE ${pools}
            AND minute >= toStartOfMinute(fromUnixTimestamp64Nano({since_ns:Int64} - 3600000000000, 'UTC'))
            AND minute < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
            AND started_at < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
            AND ({language:String} = '' OR language = {language:String})
    )
    ARRAY JOIN range(
        toUInt64(greatest(0, intDiv(offset_ns, {block_ns:Int64}))),
        toUInt64(greatest(0, intDiv(offset_ns + duration_ns - 1, {block_ns:Int64}) + 1))
    ) AS block
    WHERE offset_ns + duration_ns > 0
)
WHERE overlap_ns > 0
GROUP BY block
ORDER BY block
