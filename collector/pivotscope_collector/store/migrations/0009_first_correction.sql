-- Of inserts with one token the table takes the first: so collectors that take a batch at once agree on its moment.
-- How many tokens it remembers, and on a cluster for how long.
ALTER TABLE corrections ${cluster} MODIFY SETTING
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 3600;
