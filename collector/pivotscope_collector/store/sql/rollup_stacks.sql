-- Functions of stacks: those with these ids, or without ids all that were sampled in some minutes.
SELECT stack_id, any(stacks.functions) AS functions
FROM stacks
WHERE if(empty({ids:Array(UInt64)}), 1, has({ids:Array(UInt64)}, stack_id))
    AND stack_id IN (SELECT arrayJoin(stack_ids) FROM windows WHERE minute IN {minutes:Array(UInt32)} AND samples > 0)
GROUP BY stack_id
