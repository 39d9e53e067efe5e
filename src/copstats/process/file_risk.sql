-- Risk of a file: its keys, see key_risk.sql, counted in records.
WITH key_risk AS (
  ${key_risk}
)
SELECT
  coalesce(sum(frequency), 0)::BIGINT AS records,
  coalesce(min(frequency), 0)::BIGINT AS smallest_group,
  count(*) FILTER (WHERE frequency = 1) AS alone,
  coalesce(sum(frequency) FILTER (WHERE frequency < 3), 0)::BIGINT AS below_3,
  coalesce(sum(frequency) FILTER (WHERE frequency < 5), 0)::BIGINT AS below_5,
  coalesce(fsum(frequency * risk), 0) AS expected,
  coalesce(sum(frequency) FILTER (WHERE risk > ${limit}), 0)::BIGINT AS at_risk,
  coalesce(max(risk), 0) AS largest_risk,
  count(*) FILTER (WHERE special) AS special_uniques,
  coalesce(  -- the score at the last place of the highest one per cent; only a record alone has a score
    (list(suda ORDER BY suda DESC) FILTER (WHERE frequency = 1))[ceil(sum(frequency) / 100)::BIGINT],
    0
  ) AS suda_top,
  min(diversity)::BIGINT AS smallest_diversity,
  coalesce(sum(frequency) FILTER (WHERE diversity < 2), 0)::BIGINT AS same_answer,
  coalesce(fsum(population) >= ${expanded} * sum(frequency), FALSE) AS expanded_weights
FROM key_risk
