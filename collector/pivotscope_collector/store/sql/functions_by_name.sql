-- Functions by qualified name or its end.
SELECT DISTINCT function_id
FROM functions
WHERE qualified_name = {name:String} OR endsWith(qualified_name, concat('.', {name:String}))
    OR endsWith(qualified_name, concat('#', {name:String}))
