-- The newest plan of a scope.
SELECT toUnixTimestamp(computed_at) AS computed_at, content_hash, document
FROM plans FINAL
WHERE scope = {scope:String}
ORDER BY as_of DESC
LIMIT 1
