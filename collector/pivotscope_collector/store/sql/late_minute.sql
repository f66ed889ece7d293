-- Whether there is any minute that sql/dirty_minutes.sql names; the first that is found, without looking on.
SELECT toUnixTimestamp(minute) AS minute_s FROM ${came} LIMIT 1
