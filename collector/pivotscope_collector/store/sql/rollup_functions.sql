-- One level of functions from the level below.
INSERT INTO functions_${level} (${columns}, revision)
WITH (value) -> reinterpretAsFloat32(bitAnd(reinterpretAsUInt32(toFloat32(value)) + 0x80, 0xFFFFFF00)) AS short
SELECT
    toDateTime(intDiv(toUnixTimestamp(f.bucket), {size:UInt32}) * {size:UInt32}, 'UTC') AS bucket,
    service, environment, version, variant, language, mode, function_id,
    sum(f.self), sum(f.total), sum(f.self_native), sum(f.total_native),
    -- Moments with 16 bits of mantissa, as in the minutes.
    short(sum(f.self_y)), short(sum(f.self_yy)), short(sum(f.self_xy)),
    short(sum(f.total_y)), short(sum(f.total_yy)), short(sum(f.total_xy)), toUInt32(sum(f.windows)), {revision:UInt64}
FROM functions_${below} AS f FINAL
WHERE toUInt32(intDiv(toUnixTimestamp(f.bucket), {size:UInt32}) * {size:UInt32}) IN {starts:Array(UInt32)}
    AND f.bucket >= {first:UInt32} AND f.bucket < {last:UInt32}
GROUP BY bucket, service, environment, version, variant, language, mode, function_id
