-- What is asked of agents, a row for each kind of thing and audience; what was taken back stays as a row that is off.
-- Empty names stand for every agent, every service, every codebase.
CREATE TABLE IF NOT EXISTS controls ${cluster}
(
    kind     LowCardinality(String),
    agent    String,
    service  String,
    codebase String,
    active   UInt8,
    -- Of a rate: Hz. Of a limit of targets: their number.
    amount   UInt32,
    modes    Array(LowCardinality(String)),
    -- End of a pause; 1970: until resumed.
    until    DateTime64(3, 'UTC'),
    asked_by String,
    note     String,
    asked_at DateTime64(6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(asked_at)
ORDER BY (kind, agent, service, codebase)
TTL toDateTime(asked_at) + toIntervalDay(${dictionary_days});
