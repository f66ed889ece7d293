-- Functions by id.
SELECT function_id, codebase, language, path, qualified_name, owner
FROM functions FINAL
WHERE function_id IN {ids:Array(UInt64)}
