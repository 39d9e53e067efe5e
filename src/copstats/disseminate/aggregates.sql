CREATE TABLE member AS  -- every area of a group with its children, and with its figure if it has one
WITH usable AS (  -- the newest comparable figure of each country
  SELECT *
  FROM indicator_value
  WHERE standardised = 'N' AND unit_measure = 'PCNT' AND value IS NOT NULL AND comparability IN ('A', 'B')
    AND ${others_total} AND time_period::INTEGER BETWEEN ${year} - ${oldest} AND ${year}
  QUALIFY row_number() OVER (
    PARTITION BY ref_area, indicator, sex ORDER BY time_period DESC, comparability, survey, source
  ) = 1
)
SELECT
  area_group.*,
  topic.indicator,
  denominator.basis,
  denominator.sex,
  denominator.persons,
  usable.* EXCLUDE (ref_area, indicator, sex)
FROM area_group
CROSS JOIN topic
JOIN denominator USING (ref_area, basis, age_minimum, age_maximum)
LEFT JOIN usable
  ON usable.ref_area = area_group.ref_area AND usable.indicator = topic.indicator
  AND usable.sex = denominator.sex AND denominator.persons IS DISTINCT FROM 0;

CREATE TABLE aggregate AS
WITH summed AS (
  SELECT
    scheme, area_group, label, indicator, sex, basis,
    count(*) FILTER (persons IS DISTINCT FROM 0) AS areas,
    count(value) AS countries,
    count_if(persons IS NULL) AS areas_unknown,
    sum(persons ORDER BY ref_area) AS all_persons,
    sum(persons ORDER BY ref_area) FILTER (value IS NOT NULL) AS covered_persons,
    round(sum(persons * value ORDER BY ref_area) / covered_persons, 9) AS mean,  -- all of 100 is 100
    -- variance of a weighted sum of independent samples
    sqrt(sum((persons * se) ** 2 ORDER BY ref_area)) / covered_persons AS error,
    avg(value ORDER BY ref_area) AS plain_mean,
    min(time_period) AS earliest_period,
    max(time_period) AS latest_period,
    max(comparability) AS comparability,  -- the worst of its members
    string_agg(nullif(comparability_reasons, ''), ';') AS reasons
  FROM member
  GROUP BY ALL
  HAVING countries > 0
),
decided AS (
  SELECT
    *,
    CASE WHEN areas_unknown = 0 THEN covered_persons / all_persons END AS coverage,
    CASE
      WHEN areas_unknown > 0 THEN 'population_unknown'
      WHEN countries < ${minimum_countries} THEN 'few_countries'
      WHEN covered_persons < ${minimum_coverage} * all_persons THEN 'low_coverage'
    END AS reason
  FROM summed
),
limited AS (  -- 95 % on the logit scale; a mean of 0 or 100 has no place on it
  SELECT
    *,
    mean / 100 AS p,
    CASE WHEN p > 0 AND p < 1 THEN 1.959964 * error / 100 / (p * (1 - p)) END AS half,
    coalesce(100 / (1 + exp(half - ln(p / (1 - p)))), mean) AS lower,
    coalesce(100 / (1 + exp(-half - ln(p / (1 - p)))), mean) AS upper
  FROM decided
)
SELECT
  scheme, area_group, label, indicator, '${year}' AS time_period, sex, 'PCNT' AS unit_measure,
  CASE WHEN reason IS NULL THEN round(mean, 1) END AS value,
  CASE WHEN reason IS NULL THEN round(error, 1) END AS se,
  CASE WHEN reason IS NULL THEN floor(lower * 10) / 10 END AS ci_lower,
  CASE WHEN reason IS NULL THEN ceil(upper * 10) / 10 END AS ci_upper,
  CASE WHEN reason IS NULL THEN round(plain_mean, 1) END AS country_mean,
  areas,
  countries,
  round(coverage, 3) AS coverage,
  basis AS weighted_by,
  earliest_period,
  latest_period,
  ${population_year} AS population_year,
  coalesce(obs_status, 'A') AS obs_status,
  reason,
  comparability,
  coalesce(array_to_string(list_sort(list_distinct(string_split(reasons, ';'))), ';'), '') AS comparability_reasons
FROM limited
LEFT JOIN reason_status ON reason_status.code = limited.reason;

CREATE TABLE aggregate_member AS
SELECT
  scheme, area_group, indicator, sex, ref_area, member.time_period, survey, source,
  member.value, member.se,
  persons AS children,
  round(persons / sum(persons) OVER (PARTITION BY scheme, area_group, indicator, sex), 4) AS share,
  member.comparability, member.comparability_reasons
FROM member
SEMI JOIN (SELECT * FROM aggregate WHERE value IS NOT NULL) AS published
  USING (scheme, area_group, indicator, sex)
WHERE member.value IS NOT NULL;
