-- Functions by qualified name or its end.
SELECT function_id, codebase, language, path, qualified_name, owner
FROM functions FINAL
WHERE qualified_name = {name:String} OR endsWith(qualified_name, concat('.', {name:String}))
    OR endsWith(qualified_name, concat('#', {name:String}))
ORDER BY owner, codebase, path, qualified_name
