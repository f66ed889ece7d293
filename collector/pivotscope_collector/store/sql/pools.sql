-- Pools by bucket of {step} seconds; 0: one bucket for the whole range.
SELECT
    if({step:UInt32} = 0, {since:UInt32}, toUInt32(intDiv(toUnixTimestamp(p.bucket), greatest({step:UInt32}, 1)) * {step:UInt32})) AS bucket,
    service, environment, version, variant, language, mode,
    cityHash64(service, environment, version, variant, language, mode) AS pool,
    sum(p.windows) AS windows,
    sum(p.complete) AS complete,
    sum(p.samples) AS samples,
    sum(p.native_samples) AS native_samples,
    sum(p.x) AS x,
    sum(p.xx) AS xx,
    sum(p.looked_ns) AS looked_ns,
    sum(p.complete_cpu_ns) AS complete_cpu_ns,
    sum(p.skipped_cpu_ns) AS skipped_cpu_ns,
    sum(p.failed_cpu_ns) AS failed_cpu_ns,
    sum(p.gap_cpu_ns) AS gap_cpu_ns,
    sum(p.sampler_cpu_ns) AS sampler_cpu_ns,
    sum(p.complete_delay_ns) AS complete_delay_ns,
    sum(p.attributed_ns) AS attributed_ns,
    sum(p.unattributed_ns) AS unattributed_ns,
    max(p.processes) AS processes,
    toUInt64(avg(p.resident_bytes)) AS resident_bytes,
    sum(p.read_bytes) AS read_bytes,
    sum(p.written_bytes) AS written_bytes
FROM ${pools} AS p
GROUP BY bucket, service, environment, version, variant, language, mode
ORDER BY bucket, service, environment, version, variant, language, mode
