-- One level of pools from the level below.
INSERT INTO pools_${level} (${columns}, revision)
SELECT
    toDateTime(intDiv(toUnixTimestamp(p.bucket), {size:UInt32}) * {size:UInt32}, 'UTC') AS bucket,
    service, environment, version, variant, language, mode,
    sum(p.windows), sum(p.complete), sum(p.samples), sum(p.native_samples), sum(p.x), sum(p.xx), sum(p.looked_ns),
    sum(p.complete_cpu_ns), sum(p.skipped_cpu_ns), sum(p.failed_cpu_ns), sum(p.gap_cpu_ns), sum(p.sampler_cpu_ns),
    sum(p.complete_delay_ns), sum(p.attributed_ns), sum(p.unattributed_ns), max(p.processes), toUInt64(avg(p.resident_bytes)),
    sum(p.read_bytes), sum(p.written_bytes), {revision:UInt64}
FROM pools_${below} AS p FINAL
WHERE toUInt32(intDiv(toUnixTimestamp(p.bucket), {size:UInt32}) * {size:UInt32}) IN {starts:Array(UInt32)}
    AND p.bucket >= {first:UInt32} AND p.bucket < {last:UInt32}
GROUP BY bucket, service, environment, version, variant, language, mode
