-- Functions by step as numbers alone: `pool` is the key of sql/pool_sums.sql.
SELECT
    ${bucket} AS step,
    ${pool_key} AS pool,
    function_id,
    sum(self) AS self_samples,
    sum(total) AS total_samples,
    sum(self_native) AS self_native,
    sum(total_native) AS total_native,
    sum(self_y) AS self_y,
    sum(self_yy) AS self_yy,
    sum(self_xy) AS self_xy,
    sum(total_y) AS total_y,
    sum(total_yy) AS total_yy,
    sum(total_xy) AS total_xy
FROM ${function_rows}
GROUP BY step, pool, function_id
ORDER BY step, pool, function_id
