-- Whether there is any row of a service; the first that is found, without looking on.
SELECT 1 AS stored FROM ${table} PREWHERE service = {service:String} LIMIT 1
