-- Where the samples beneath some functions have their leaf: sampled nanoseconds by (function, leaf), in one mode.
-- A function that recurs in a stack counts once in it.
SELECT
    root,
    leaf,
    sum(y) AS y,
    sum(native_y) AS native_y
FROM
(
    SELECT
        merged.y AS y,
        merged.native_y AS native_y,
        known.functions[-1] AS leaf,
        arrayJoin(arrayFilter(id -> has({roots:Array(UInt64)}, id), arrayDistinct(known.functions))) AS root
    FROM
    (
        SELECT stack_id, sum(count * period_ns) AS y, sum(samples.native * period_ns) AS native_y
        FROM samples
        WHERE ${selected} AND language = {language:String} AND mode = {mode:String}
        GROUP BY stack_id
    ) AS merged
    INNER JOIN
    (
        SELECT stack_id, any(stacks.functions) AS functions
        FROM stacks
        WHERE hasAny(stacks.functions, {roots:Array(UInt64)})
        GROUP BY stack_id
    ) AS known ON known.stack_id = merged.stack_id
)
GROUP BY root, leaf
ORDER BY root, y DESC, leaf
