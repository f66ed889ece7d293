-- Those of {ids} that are code of a codebase, not of a package or of the language.
SELECT function_id
FROM functions FINAL
WHERE function_id IN {ids:Array(UInt64)}
    AND (
        owner = 'application'
        OR function_id IN (SELECT function_id FROM application_functions WHERE function_id IN {ids:Array(UInt64)})
    )
