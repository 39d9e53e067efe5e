-- National values and counts that this release changes.
SELECT ref_area, indicator, time_period, value_from, value_to, obs_status_to, revision_reason AS reason
FROM revision
WHERE release_to = '${label}' AND standardised = 'N' AND ${total} AND code = '_T'
ORDER BY ref_area, indicator, time_period DESC, survey
