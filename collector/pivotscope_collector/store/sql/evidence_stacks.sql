-- Stacks with any of some functions: sampled nanoseconds, all and native, in one mode, of all minutes or of those named.
SELECT
    known.functions AS functions,
    merged.y AS y,
    merged.native_y AS native_y
FROM
(
    SELECT stack_id, sum(count * period_ns) AS y, sum(samples.native * period_ns) AS native_y
    FROM samples
    WHERE ${selected} AND (empty({minutes:Array(UInt32)}) OR minute IN {minutes:Array(UInt32)})
        AND language = {language:String} AND mode = {mode:String}
    GROUP BY stack_id
) AS merged
INNER JOIN
(
    SELECT stack_id, any(stacks.functions) AS functions
    FROM stacks
    WHERE hasAny(stacks.functions, {roots:Array(UInt64)})
    GROUP BY stack_id
) AS known ON known.stack_id = merged.stack_id
