-- Rows in the shape of pools_minute from raw windows; ${minutes} names the minutes.
-- Skipped windows stand attributed where the pool has a complete window, of any mode, in the same minute.
SELECT
    minute AS bucket, service, environment, version, variant, language, mode,
    windows, complete, samples, native_samples, x, xx, looked_ns,
    stood_for_cpu_ns AS complete_cpu_ns, skipped_cpu_ns, failed_cpu_ns, gap_cpu_ns, sampler_cpu_ns, complete_delay_ns,
    measured_cpu_ns + if(covered, skipped_cpu_ns, 0) AS attributed_ns,
    failed_cpu_ns + gap_cpu_ns + if(covered, 0, skipped_cpu_ns) AS unattributed_ns,
    processes, resident_bytes, read_bytes, written_bytes
FROM
(
    SELECT
        *,
        sum(complete) OVER (PARTITION BY minute, service, environment, version, variant, language) > 0 AS covered
    FROM
    (
        SELECT
            minute, service, environment, version, variant, language, mode,
            count() AS windows,
            countIf(outcome = 'complete') AS complete,
            sum(w.samples) AS samples,
            sum(w.native_samples) AS native_samples,
            sum(w.samples * period_ns) AS x,
            sum(pow(toFloat64(w.samples) * period_ns, 2)) AS xx,
            toUInt64(sumIf(looked_ns, outcome = 'complete')) AS looked_ns,
            sumIf(cpu_user_ns + cpu_system_ns, outcome = 'complete') AS measured_cpu_ns,
            -- What x is held against counts as often as x does: a window stands for the pause before it, too.
            toUInt64(sumIf((cpu_user_ns + cpu_system_ns) * stands_for, outcome = 'complete')) AS stood_for_cpu_ns,
            sumIf(cpu_user_ns + cpu_system_ns, outcome = 'skipped') AS skipped_cpu_ns,
            sumIf(cpu_user_ns + cpu_system_ns, outcome NOT IN ('complete', 'skipped')) AS failed_cpu_ns,
            sum(w.gap_cpu_ns) AS gap_cpu_ns,
            sum(w.sampler_cpu_ns) AS sampler_cpu_ns,
            toUInt64(sumIf(w.run_delay_ns * stands_for, outcome = 'complete')) AS complete_delay_ns,
            toUInt32(uniqExact(host, pid, process_started_at)) AS processes,
            -- Mean over the windows × processes: the pool's memory, were every process seen equally often.
            toUInt64(avg(w.resident_bytes) * processes) AS resident_bytes,
            sum(w.read_bytes) AS read_bytes,
            sum(w.written_bytes) AS written_bytes
        FROM
        (
            SELECT
                *,
                if(ticks > errors, toFloat64(ticks - errors), duration_ns * rate_hz / 1e9) * period_ns AS looked_ns,
                greatest(1., looked_ns / greatest(1, duration_ns)) AS stands_for
            FROM windows FINAL
        ) AS w
        WHERE ${minutes} AND ${pool}
        GROUP BY minute, service, environment, version, variant, language, mode
    )
)
