-- Stacks that were sampled in some minutes.
SELECT DISTINCT arrayJoin(stack_ids) AS stack_id
FROM windows
WHERE minute IN {minutes:Array(UInt32)} AND samples > 0
