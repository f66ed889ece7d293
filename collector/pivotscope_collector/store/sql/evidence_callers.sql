-- Who calls some functions: up to five callers each, those seen most first; in one mode.
-- In a recursion the caller is that of the outermost call.
SELECT function_id, caller
FROM
(
    SELECT
        arrayJoin(arrayFilter(id -> has({roots:Array(UInt64)}, id), arrayDistinct(known.functions))) AS function_id,
        known.functions[indexOf(known.functions, function_id) - 1] AS caller,
        merged.y AS y
    FROM
    (
        SELECT stack_id, sum(count * period_ns) AS y
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
    WHERE indexOf(known.functions, function_id) > 1
)
GROUP BY function_id, caller
ORDER BY function_id, sum(y) DESC, caller
LIMIT 5 BY function_id
