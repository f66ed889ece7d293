-- Stacks of a selection in one mode a language ({modes}: language/mode), merged over windows; numbers alone.
-- `pool` is the key of sql/pools.sql; y = samples × period.
SELECT
    merged.pool AS pool, merged.stack_id AS stack_id, merged.samples AS samples, merged.native AS native, merged.y AS y,
    known.functions AS functions
FROM
(
    SELECT
        pool, stack_id, sum(seen.1) AS samples, sum(seen.2) AS native, sum(toFloat64(seen.1) * period) AS y
    FROM
    (
        SELECT
            cityHash64(service, environment, version, variant, language, mode) AS pool,
            toFloat64(period_ns) AS period, stack_ids, counts, natives
        FROM windows FINAL
        WHERE ${selected} AND concat(language, '/', mode) IN {modes:Array(String)} AND samples > 0
    )
    ARRAY JOIN stack_ids AS stack_id, arrayZip(counts, natives) AS seen
    GROUP BY pool, stack_id
) AS merged
INNER JOIN
(
    SELECT stack_id, any(stacks.functions) AS functions
    FROM stacks
    WHERE stack_id IN
    (
        SELECT arrayJoin(stack_ids) FROM windows
        WHERE ${selected} AND concat(language, '/', mode) IN {modes:Array(String)} AND samples > 0
    )
    GROUP BY stack_id
) AS known ON known.stack_id = merged.stack_id
