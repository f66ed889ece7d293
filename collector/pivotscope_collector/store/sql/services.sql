-- Services that sent windows.
SELECT DISTINCT service FROM windows ORDER BY service
