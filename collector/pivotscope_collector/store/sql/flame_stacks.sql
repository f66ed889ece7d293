-- Functions of the stacks that a selection has in these {modes}; of those with these {ids}, where any are given.
SELECT stack_id, any(stacks.functions) AS functions
FROM stacks
WHERE if(empty({ids:Array(UInt64)}), 1, has({ids:Array(UInt64)}, stack_id)) AND stack_id IN
(
    SELECT arrayJoin(stack_ids) FROM windows
    WHERE ${selected} AND concat(language, '/', mode) IN {modes:Array(String)} AND samples > 0
)
GROUP BY stack_id
