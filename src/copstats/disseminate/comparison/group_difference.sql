-- Cells of one dimension, two groups of a survey side by side, with the standard error from the restricted side.
WITH one_dimension AS (
  SELECT *, ${dimension} AS dimension, ${group_code} AS group_code
  FROM indicator_value
  WHERE standardised = 'N' AND unit_measure = 'PCNT' AND ${crossed} = 1
),
side_by_side AS (
  SELECT
    one.ref_area,
    one.survey,
    one.time_period,
    one.indicator,
    one.unit_measure,
    group_error.dimension,
    group_error.group_a,
    group_error.group_b,
    one.value AS value_a,
    other.value AS value_b,
    coalesce(
      CASE WHEN one.value IS NULL THEN one.reason END, CASE WHEN other.value IS NULL THEN other.reason END
    ) AS reason_of_value,
    greatest(one.comparability, other.comparability) AS comparability,
    greatest(step_a.step, step_b.step) AS error_step,
    100 * group_error.se AS computed_se,
    group_error.df,
    group_error.samples,
    one.source
  FROM group_error
  JOIN one_dimension AS one
    ON one.source = group_error.submission_id AND one.indicator = group_error.indicator
    AND one.dimension = group_error.dimension AND one.group_code = group_error.group_a
  JOIN one_dimension AS other
    ON other.source = group_error.submission_id AND other.indicator = group_error.indicator
    AND other.dimension = group_error.dimension AND other.group_code = group_error.group_b
  LEFT JOIN error_step AS step_a ON step_a.n_band = one.n_band
  LEFT JOIN error_step AS step_b ON step_b.n_band = other.n_band
)
SELECT
  *,
  CASE
    WHEN comparability = 'C' THEN 'not_comparable'
    WHEN reason_of_value IS NOT NULL THEN reason_of_value
    WHEN df < 1 THEN 'no_variance'
  END AS reason_of_difference
FROM side_by_side
ORDER BY ref_area, survey, time_period, indicator, dimension, len(group_a), group_a, len(group_b), group_b, source
