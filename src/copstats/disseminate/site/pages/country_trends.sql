-- Published national values of indicators with a change between rounds of a survey; the same year once.
SELECT ref_area, survey, indicator, time_period, value, ci_lower, ci_upper, obs_status
FROM indicator_value
SEMI JOIN change USING (ref_area, survey, indicator)
WHERE standardised = 'N' AND ${total} AND value IS NOT NULL AND unit_measure = 'PCNT'
QUALIFY row_number() OVER (
  PARTITION BY ref_area, survey, indicator, time_period ORDER BY comparability, source DESC
) = 1
ORDER BY ref_area, survey, indicator, time_period
