-- Functions by bucket of {step} seconds; 0: one bucket for the whole range.
SELECT
    if({step:UInt32} = 0, {since:UInt32}, toUInt32(intDiv(toUnixTimestamp(f.bucket), greatest({step:UInt32}, 1)) * {step:UInt32})) AS bucket,
    service, environment, version, variant, language, mode, function_id,
    sum(f.self) AS self,
    sum(f.total) AS total,
    sum(f.self_native) AS self_native,
    sum(f.total_native) AS total_native,
    sum(f.self_y) AS self_y,
    sum(f.self_yy) AS self_yy,
    sum(f.self_xy) AS self_xy,
    sum(f.total_y) AS total_y,
    sum(f.total_yy) AS total_yy,
    sum(f.total_xy) AS total_xy,
    toUInt32(sum(f.windows)) AS windows
FROM ${functions} AS f
WHERE empty({function_ids:Array(UInt64)}) OR function_id IN {function_ids:Array(UInt64)}
GROUP BY bucket, service, environment, version, variant, language, mode, function_id
ORDER BY bucket, service, environment, version, variant, language, mode, function_id
