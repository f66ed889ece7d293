-- Stacks of a selection in these {modes}, all where none are given, merged over windows; numbers alone.
-- `step` and `pool` are those of sql/pool_sums.sql; y = samples × period.
SELECT
    ${bucket} AS step,
    pool,
    stack_id,
    sum(seen) AS samples,
    sum(seen_native) AS native,
    sum(toFloat64(seen) * period) AS y
FROM
(
    SELECT
        minute AS bucket,
        ${pool_key} AS pool,
        toFloat64(period_ns) AS period, stack_ids, counts, natives
    FROM windows FINAL
    WHERE ${within} AND (empty({modes:Array(String)}) OR mode IN {modes:Array(String)}) AND samples > 0
)
ARRAY JOIN stack_ids AS stack_id, counts AS seen, natives AS seen_native
GROUP BY step, pool, stack_id
ORDER BY step
