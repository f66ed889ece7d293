-- How each agent fares: the newest that it said, whichever collector it said it to.
CREATE TABLE IF NOT EXISTS agent_status ${cluster}
(
    agent       String,
    received_at DateTime64(3, 'UTC'),
    -- Selected processes by state.
    states      Map(LowCardinality(String), UInt32),
    -- The AgentStatus message in base64.
    status      String CODEC(ZSTD)
)
ENGINE = ${replicated}ReplacingMergeTree(received_at)
ORDER BY agent
TTL toDateTime(received_at) + toIntervalDay(${hour_days});
