-- Functions by id.
SELECT
    function_id, codebase, language, path, qualified_name,
    if(
        function_id IN (SELECT function_id FROM application_functions WHERE function_id IN {ids:Array(UInt64)}),
        'application',
        toString(functions.owner)
    ) AS owner
FROM functions FINAL
WHERE function_id IN {ids:Array(UInt64)}
