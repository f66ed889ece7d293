-- The newest plan of a scope.
SELECT toUnixTimestamp(as_of) AS as_of, content_hash, document
FROM plans FINAL
WHERE scope = {scope:String}
ORDER BY plans.as_of DESC
LIMIT 1
