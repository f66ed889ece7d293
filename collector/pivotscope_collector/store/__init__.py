"""The only room that knows ClickHouse: client, schema, writers, roll-ups and queries."""
