-- Levels that have been rolled up at all.
SELECT DISTINCT level FROM progress
