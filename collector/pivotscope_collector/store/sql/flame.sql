-- Stacks of a selection in one mode a language ({modes}: language/mode), merged over windows; the largest first, at most {limit}.
SELECT
    service, environment, version, variant, language,
    merged.stack_id AS stack_id,
    known.functions AS functions,
    merged.samples AS samples,
    merged.native AS native,
    merged.y AS y,
    merged.all_samples AS all_samples
FROM
(
    SELECT
        service, environment, version, variant, language, stack_id,
        sum(count) AS samples, sum(samples.native) AS native, sum(count * period_ns) AS y,
        sum(sum(count)) OVER () AS all_samples
    FROM samples
    WHERE ${selected} AND concat(language, '/', mode) IN {modes:Array(String)}
    GROUP BY service, environment, version, variant, language, stack_id
    ORDER BY samples DESC, stack_id
    LIMIT {limit:UInt32}
) AS merged
INNER JOIN
(
    SELECT stack_id, any(stacks.functions) AS functions
    FROM stacks
    WHERE stack_id IN (SELECT stack_id FROM samples WHERE ${selected} AND concat(language, '/', mode) IN {modes:Array(String)})
    GROUP BY stack_id
) AS known ON known.stack_id = merged.stack_id
ORDER BY samples DESC, stack_id
