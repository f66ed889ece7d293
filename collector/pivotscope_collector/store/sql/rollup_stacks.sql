-- Functions of stacks by id.
SELECT stack_id, any(stacks.functions) AS functions
FROM stacks
WHERE stack_id IN {ids:Array(UInt64)}
GROUP BY stack_id
