-- From PSU totals to estimates: ratio of totals, linearised, PSUs as ultimate clusters.
WITH totals AS MATERIALIZED (
  SELECT
    sum(wy_{m}) / nullif(sum(w_{m}), 0) AS ratio_{m},
    sum(wyy_{m}) / nullif(sum(w_{m}), 0) AS square_{m},
    nullif(sum(w_{m}), 0) AS w_{m},
    sum(we_{m}) AS we_{m},
    sum(n_{m})::BIGINT AS n_{m},
    sum(events_{m})::BIGINT AS events_{m},
    sum(eligible_{m})::BIGINT AS eligible_{m},
    count_if(n_{m} > 0) AS psus_{m},
    max(n_{m}) AS top_n_{m},
    max(top_{m}) AS top_{m},
    domain
  FROM psu_cells
  GROUP BY domain
),
residuals AS (
  SELECT
    (cell.wy_{m} - totals.ratio_{m} * cell.w_{m}) / totals.w_{m} AS z_{m},
    cell.n_{m} > 0 AS has_{m},
    cell.unit,
    domain
  FROM psu_cells AS cell JOIN totals USING (domain)
),
strata AS (  -- PSUs without members of the domain are zeros: psus and taken are those of the full design
  SELECT
    avg(z_{m}) AS mean_{m},
    var_pop(z_{m}) AS var_{m},
    count_if(has_{m}) > 0 AS has_{m},
    count(*) AS cells,
    any_value(psus) AS psus,
    any_value(psus = 1 AND taken < 1) AS single,
    any_value(CASE WHEN taken >= 1 THEN 0 ELSE (1 - taken) * psus / greatest(psus - 1, 1) END) AS scale,
    domain,
    stratum_no
  FROM residuals JOIN psu_design USING (unit)
  GROUP BY domain, stratum_no
),
variances AS (
  SELECT
    -- each measure
    sum(
      CASE WHEN single THEN ${single} * scale * mean_{m} * mean_{m}
      ELSE scale * cells * (var_{m} + mean_{m} * mean_{m} * (1 - cells / psus)) END)
      * CASE WHEN ${average} THEN count_if(has_{m}) / nullif(count_if(has_{m} AND NOT single), 0) ELSE 1 END
      AS v_{m},
    -- end
    count_if(has_{m}) AS strata_{m},
    domain
  FROM strata
  GROUP BY domain
),
estimates AS (
  SELECT
    unnest([
      -- each measure
      {'measure': '{m}', 'n': n_{m}, 'events': events_{m}, 'eligible': eligible_{m},
       'sum_w': w_{m}, 'sum_w_eligible': we_{m}, 'psus': psus_{m}, 'strata': strata_{m},
       'largest_psu_share': top_n_{m} / nullif(n_{m}, 0), 'largest_weight_share': top_{m} / w_{m},
       'estimate': ratio_{m}, 'mean_square': square_{m}, 'variance': v_{m}},
      -- end
    ], recursive := true),
    domain
  FROM totals JOIN variances USING (domain)
)
SELECT * FROM estimates ORDER BY domain, measure
