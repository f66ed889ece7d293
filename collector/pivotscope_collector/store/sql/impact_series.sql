-- Series of one arm that have a role.
SELECT series_id, service, environment, version, variant, instance, name, kind, role, unit, labels, bounds
FROM series FINAL
WHERE service = {service:String}
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({version:String} = '' OR version = {version:String})
    AND ({variant:String} = '' OR variant = {variant:String})
    AND role != 'other'
ORDER BY role, name, instance, series_id
