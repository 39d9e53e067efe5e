-- The published form of every decided cell: rounded figures and bands where there is no reason against them.
WITH stepped AS (  -- steps of rounding by tier, unit and number of valid answers
  SELECT decided.*, value_step.per_unit AS value_per_unit, error_step.per_unit AS error_per_unit
  FROM decided
  ASOF LEFT JOIN value_step
    ON decided.unit = value_step.unit AND decided.tier = value_step.tier AND decided.n >= value_step.from_n
  ASOF LEFT JOIN error_step
    ON decided.unit = error_step.unit AND decided.tier = error_step.tier AND decided.n >= error_step.from_n
),
rounded AS (  -- limits outward, so that the published interval holds the computed one
  SELECT
    *,
    round(estimate * factor * value_per_unit) / value_per_unit AS rounded_value,
    round(se * factor * error_per_unit) / error_per_unit AS rounded_se,
    greatest(floor(ci_lower * factor * value_per_unit) / value_per_unit, unit_minimum) AS rounded_lower,
    least(ceil(ci_upper * factor * value_per_unit) / value_per_unit, unit_maximum) AS rounded_upper
  FROM stepped
),
banded AS (
  SELECT rounded.*, n_band.code AS band_of_n, nonresponse_band.code AS band_of_nonresponse
  FROM rounded
  ASOF LEFT JOIN n_band ON rounded.n >= n_band.from_n
  ASOF LEFT JOIN nonresponse_band ON rounded.nonresponse <= nonresponse_band.up_to
),
explained AS (
  SELECT
    banded.*,
    banded.reason IS NULL AS shown,
    coalesce(reason.coded, FALSE) AS coded,
    reason.obs_status AS status_of_reason,
    reason.obs_conf AS confidentiality_of_reason,
    coalesce(n >= low_reliability_n AND reliability IN (SELECT code FROM reliable), FALSE) AS normal
  FROM banded LEFT JOIN reason ON banded.reason = reason.code
)
SELECT
  ref_area,
  indicator,
  reference_year::VARCHAR AS time_period,
  survey,
  ${dimensions},
  coalesce(unit_code, unit) AS unit_measure,
  CASE WHEN shown THEN rounded_value END AS value,
  CASE WHEN shown THEN rounded_se END AS se,
  CASE WHEN shown THEN rounded_lower END AS ci_lower,
  CASE WHEN shown THEN rounded_upper END AS ci_upper,
  CASE WHEN shown OR coded THEN band_of_n END AS n_band,
  CASE WHEN shown OR coded THEN band_of_nonresponse END AS nonresponse_band,
  CASE WHEN NOT shown THEN status_of_reason WHEN normal THEN 'A' ELSE 'U' END AS obs_status,
  CASE WHEN shown THEN 'F' ELSE confidentiality_of_reason END AS obs_conf,
  reason,
  CASE WHEN shown THEN reliability END AS reliability,
  -- A class depends on how many did not answer; that of a withheld cell would tell of it.
  CASE WHEN shown OR coded OR status_of_reason = 'L' THEN comparability
    ELSE max(comparability) FILTER (${is_total} AND (shown OR coded)) OVER wave END AS comparability,
  CASE WHEN shown OR coded OR status_of_reason = 'L' THEN comparability_reasons
    ELSE max(comparability_reasons) FILTER (${is_total} AND (shown OR coded)) OVER wave END AS comparability_reasons,
  'N' AS standardised,
  submission_id AS source
FROM explained
WINDOW wave AS (PARTITION BY submission_id, indicator)
ORDER BY ref_area, indicator, time_period, survey, ${dimensions}, source
