-- The last moment of reception, in unix microseconds, at which any collector looked or rolled up; 0 where none did.
SELECT max(revision) AS last_us FROM (SELECT revision FROM progress UNION ALL SELECT revision FROM rolled)
