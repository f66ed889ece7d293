-- Functions by qualified name or its end: {after_dot} and {after_hash} are the name with what comes before it.
SELECT function_id
FROM functions
PREWHERE endsWith(concat('.', qualified_name), {after_dot:String}) OR endsWith(qualified_name, {after_hash:String})
