-- Functions of the whole range as numbers alone: `pool` is the key of sql/pools.sql.
SELECT
    cityHash64(service, environment, version, variant, language, mode) AS pool,
    function_id,
    sum(f.self) AS self_samples,
    sum(f.total) AS total_samples,
    sum(f.self_native) AS self_native,
    sum(f.total_native) AS total_native,
    sum(toFloat64(f.self_y)) AS self_y,
    sum(toFloat64(f.self_yy)) AS self_yy,
    sum(toFloat64(f.self_xy)) AS self_xy,
    sum(toFloat64(f.total_y)) AS total_y,
    sum(toFloat64(f.total_yy)) AS total_yy,
    sum(toFloat64(f.total_xy)) AS total_xy
FROM ${functions} AS f
GROUP BY pool, function_id
ORDER BY pool, function_id
