-- Series of one arm that have a role.
SELECT series_id, service, environment, version, variant, instance, name, kind, role, unit, labels, bounds
FROM series FINAL
WHERE ${pools}
    AND role != 'other'
ORDER BY role, name, instance, series_id
