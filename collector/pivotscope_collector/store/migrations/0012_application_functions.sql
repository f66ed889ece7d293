-- Functions of which somebody who may write their codebase said that they are the application's own. Beside the functions,
-- whose rows everybody replaces who runs them: this nobody else takes back.
CREATE TABLE IF NOT EXISTS application_functions ${cluster}
(
    function_id UInt64,
    seen_at     DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(seen_at)
ORDER BY function_id
TTL seen_at + toIntervalDay(${dictionary_days});
