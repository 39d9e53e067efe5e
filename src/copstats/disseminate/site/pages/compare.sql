-- Cells that a reader of the compare page can pick: the total, or one dimension alone. Of several rows of a cell
-- the one that latest_value shows; where none has a value the newest, with the reason.
SELECT
  indicator, ref_area, time_period, survey, sex, age, residence, wealth_quintile, disability, standardised,
  unit_measure, value, se, ci_lower, ci_upper, n_band, obs_status, reason, reliability, comparability,
  comparability_reasons, source
FROM indicator_value
WHERE education = '_T' AND region = '_T'
  AND (sex <> '_T')::INTEGER + (age <> '_T')::INTEGER + (residence <> '_T')::INTEGER
    + (wealth_quintile <> '_T')::INTEGER + (disability <> '_T')::INTEGER <= 1
QUALIFY row_number() OVER (
  PARTITION BY indicator, ref_area, sex, age, residence, wealth_quintile, disability, standardised
  ORDER BY value IS NULL, time_period DESC, comparability, survey, source
) = 1
ORDER BY indicator, ref_area, sex, age, residence, wealth_quintile, disability, standardised
