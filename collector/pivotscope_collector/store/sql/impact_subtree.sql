-- Moments of a subtree a block and mode: y = samples beneath a function of `target` (and of no function of `other`) × period.
SELECT
    intDiv(middle_ns, {block_ns:Int64}) AS block,
    mode,
    count() AS windows,
    sum(beneath) AS samples,
    sum(cpu) AS cpu_ns,
    sum(delay) AS delay_ns,
    sum(beneath * period) AS y,
    sum(seen * period) AS x,
    sum(pow(beneath * period, 2)) AS yy,
    sum(beneath * period * seen * period) AS xy,
    sum(pow(seen * period, 2)) AS xx
FROM
(
    SELECT
        w.mode AS mode,
        toUnixTimestamp64Nano(toDateTime64(w.started_at, 9, 'UTC')) + intDiv(toInt64(w.duration_ns), 2) - {since_ns:Int64} AS middle_ns,
        -- Without the pauses before windows: arms are compared by what was seen of them.
        w.period_ns / greatest(1., w.period_ns * if(w.ticks > w.errors, (w.ticks - w.errors) / greatest(1, w.duration_ns), w.rate_hz / 1e9)) AS period,
        toFloat64(w.samples) AS seen,
        toFloat64(w.cpu_user_ns + w.cpu_system_ns) AS cpu,
        toFloat64(w.run_delay_ns) AS delay,
        toFloat64(t.beneath) AS beneath
    FROM
    (
        SELECT
            window_id, mode, started_at, duration_ns, rate_hz, ticks, errors, period_ns, samples, cpu_user_ns, cpu_system_ns,
            run_delay_ns
        FROM windows FINAL
        WHERE ${pools}
            AND minute >= toStartOfMinute(fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC'))
            AND started_at >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
            AND started_at < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
            AND language = {language:String}
            AND outcome = 'complete'
    ) AS w
    LEFT JOIN
    (
        SELECT window_id, sum(count) AS beneath
        FROM samples
        WHERE service = {service:String}
            AND minute >= toStartOfMinute(fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC'))
            AND minute < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
            AND stack_id IN
            (
                SELECT stack_id FROM stacks
                WHERE hasAny(functions, {target:Array(UInt64)}) AND NOT hasAny(functions, {other:Array(UInt64)})
            )
        GROUP BY window_id
    ) AS t ON t.window_id = w.window_id
)
GROUP BY block, mode
ORDER BY block, mode
