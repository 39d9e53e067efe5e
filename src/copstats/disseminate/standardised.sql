-- Standardised proportions, from published cells and their standard errors; one row a survey, indicator and sex.
WITH crude AS (  -- figures beside which a standardised one stands
  SELECT *
  FROM indicator_value
  WHERE standardised = 'N' AND unit_measure = '${unit_code}' AND obs_status NOT IN ('L', 'M')
    AND age = '_T' AND ${others_total}
),
combined AS (  -- a weighted sum of the published cells of sex by age
  SELECT
    crude.source,
    crude.indicator,
    crude.sex,
    count(*) AS groups,
    count(cell.source) AS covered,
    count(cell.value) AS shown,
    -- shares add up to 1 but for the last bit, and all of 100 is 100
    round(sum(share * cell.value ORDER BY share.in_sex, share.in_age), 9) AS value,
    bool_or(cell.obs_status = 'U') AS low_reliability,
    max(cell.reliability) AS reliability  -- reliable, review, unreliable: their order as texts too
  FROM crude
  JOIN share USING (indicator, sex)
  LEFT JOIN indicator_value AS cell
    ON cell.source = crude.source AND cell.indicator = crude.indicator AND cell.standardised = 'N'
    AND cell.sex = share.in_sex AND cell.age = share.in_age AND ${cell_others_total}
  GROUP BY ALL
  HAVING covered > 0
),
decided AS (
  SELECT
    crude.*,
    combined.value AS combined_value,
    combined.low_reliability,
    greatest(crude.reliability, combined.reliability) AS worst_reliability,
    standard_error.se * ${factor} AS combined_se,
    standard_error.quantile,
    CASE
      WHEN covered < groups THEN 'standard_population'
      WHEN crude.value IS NULL OR shown < groups THEN 'component'
      WHEN standard_error.se IS NULL THEN 'no_variance'
    END AS against
  FROM crude
  JOIN combined USING (source, indicator, sex)
  LEFT JOIN standard_error
    ON standard_error.submission_id = crude.source AND standard_error.indicator = crude.indicator
    AND standard_error.sex = crude.sex
),
stepped AS (  -- steps of rounding of the crude figure, whose band of answers begins where steps do
  SELECT
    decided.*,
    value_step.per_unit AS value_per_unit,
    error_step.per_unit AS error_per_unit
  FROM decided
  JOIN indicator_tier ON indicator_tier.indicator = decided.indicator AND indicator_tier.source = decided.source
  LEFT JOIN n_band ON n_band.code = decided.n_band
  ASOF LEFT JOIN value_step
    ON value_step.unit = '${unit}' AND value_step.tier = indicator_tier.tier AND n_band.from_n >= value_step.from_n
  ASOF LEFT JOIN error_step
    ON error_step.unit = '${unit}' AND error_step.tier = indicator_tier.tier AND n_band.from_n >= error_step.from_n
),
margin AS (  -- limits on the logit scale; at the ends, to which rounding may take a value, on the plain one
  SELECT
    *,
    combined_value / ${factor} AS p,
    quantile * combined_se / ${factor} AS half,
    p > 0 AND p < 1 AS inner_value
  FROM stepped
),
limited AS (
  SELECT
    *,
    CASE WHEN inner_value
      THEN 1 / (1 + exp(-(ln(p / (1 - p)) - half / (p * (1 - p))))) ELSE greatest(p - half, 0)
    END AS lower,
    CASE WHEN inner_value
      THEN 1 / (1 + exp(-(ln(p / (1 - p)) + half / (p * (1 - p))))) ELSE least(p + half, 1)
    END AS upper
  FROM margin
)
SELECT
  ref_area,
  limited.indicator,
  time_period,
  survey,
  ${dimensions},
  unit_measure,
  CASE WHEN against IS NULL THEN round(combined_value * value_per_unit) / value_per_unit END AS value,
  CASE WHEN against IS NULL THEN round(combined_se * error_per_unit) / error_per_unit END AS se,
  CASE WHEN against IS NULL THEN floor(lower * ${factor} * value_per_unit) / value_per_unit END AS ci_lower,
  CASE WHEN against IS NULL THEN ceil(upper * ${factor} * value_per_unit) / value_per_unit END AS ci_upper,
  CASE WHEN against IS NULL THEN n_band END AS n_band,
  CASE WHEN against IS NULL THEN nonresponse_band END AS nonresponse_band,
  CASE
    WHEN against IS NOT NULL THEN reason_status.obs_status
    WHEN low_reliability OR limited.obs_status = 'U' THEN 'U'
    ELSE 'A'
  END AS obs_status,
  CASE WHEN against IS NULL THEN 'F' ELSE reason_status.obs_conf END AS obs_conf,
  against AS reason,
  CASE WHEN against IS NULL THEN worst_reliability END AS reliability,
  comparability,
  comparability_reasons,
  'Y' AS standardised,
  source
FROM limited
LEFT JOIN reason_status ON reason_status.code = against
