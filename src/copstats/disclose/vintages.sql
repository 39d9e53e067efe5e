-- What stands against publishing a wave again: one row a group of which too little changed, and why.
WITH
earlier_cells AS (
  SELECT
    indicator,
    ${cell} AS cell,
    bool_or(value IS NOT NULL) AS shown,
    bool_or(value IS NOT NULL OR coalesce(reason IN (${no_secrets}), FALSE)) AS open,
    list_sort(list((value, se, ci_lower, ci_upper)::VARCHAR)) AS figures
  FROM earlier WHERE standardised IS DISTINCT FROM 'Y' GROUP BY ALL
),
candidate_cells AS (
  SELECT
    indicator,
    ${cell} AS cell,
    bool_or(value IS NOT NULL) AS shown,
    bool_or(value IS NOT NULL OR coalesce(reason IN (${no_secrets}), FALSE)) AS open,
    list_sort(list((value, se, ci_lower, ci_upper)::VARCHAR)) AS figures
  FROM candidate WHERE standardised IS DISTINCT FROM 'Y' GROUP BY ALL
),
cells AS (  -- a cell that is in neither vintage has no eligible records: its number is known to be nought
  SELECT
    indicator,
    cell,
    coalesce(earlier_cells.shown, FALSE) AS before,
    coalesce(candidate_cells.shown, FALSE) AS after,
    coalesce(earlier_cells.open, FALSE) AND coalesce(candidate_cells.open, FALSE) AS open_twice,
    coalesce(earlier_cells.open, TRUE) AND coalesce(candidate_cells.open, TRUE) AS known,
    earlier_cells.figures IS NOT DISTINCT FROM candidate_cells.figures AS alike
  FROM earlier_cells FULL JOIN candidate_cells USING (indicator, cell)
),
indicators AS (
  SELECT
    indicator,
    coalesce(list(cell) FILTER (WHERE known), []) AS known_cells,
    coalesce(list(cell) FILTER (WHERE NOT known), []) AS withheld_cells
  FROM cells GROUP BY indicator
),
compared AS (  -- groups whose figure is open in both vintages, or follows from figures that are
  SELECT
    changes.*,
    entered + "left" + changed AS touched,
    coalesce(minimum_events, ${strictest}) AS minimum_events
  FROM changes
  JOIN cells AS whole USING (indicator, cell)
  JOIN indicators USING (indicator)
  LEFT JOIN cells AS part ON part.indicator = changes.member AND part.cell = changes.cell
  LEFT JOIN rule_set ON rule_set.indicator = changes.indicator
  WHERE whole.open_twice
    AND (changes.member IS NULL OR part.open_twice)
    AND NOT list_has_any(without, withheld_cells)
    AND (len(without) = 0 OR list_has_any(without, known_cells))
),
judged AS (
  SELECT
    indicator, member, cell, without,
    CASE
      WHEN touched = 0 THEN CASE WHEN ${withdrawn} > 0 THEN 'withdrawn' END
      WHEN touched < ${minimum} THEN 'few'
      WHEN "left" + changed > 0 AND least(yes_before, no_before) < minimum_events THEN 'one_sided'
      WHEN entered + changed > 0 AND least(yes_after, no_after) < minimum_events THEN 'one_sided'
    END AS reason
  FROM compared
),
uncounted AS (  -- open in both vintages, and yet nobody counted what changed
  SELECT indicator, NULL::VARCHAR AS member, cell, []::VARCHAR[] AS without, 'unknown' AS reason
  FROM cells
  ANTI JOIN (SELECT * FROM changes WHERE member IS NULL AND len(without) = 0) AS counted USING (indicator, cell)
  WHERE open_twice
),
unchanged AS (  -- the same records stand behind both vintages: what one shows of them helps against the other
  SELECT indicator, cell, before, after, alike
  FROM changes JOIN cells USING (indicator, cell)
  WHERE member IS NULL AND len(without) = 0 AND entered + "left" + changed = 0
),
same_records AS (
  SELECT coalesce(sum(entered + "left" + changed), 0) = 0 AS same FROM changes
),
gains AS (
  SELECT count_if(before AND NOT after) AS of_later, count_if(after AND NOT before) AS of_earlier FROM unchanged
),
patterns AS (  -- where all records are the same, a vintage that shows more was audited with all that the other shows
  SELECT indicator, NULL::VARCHAR AS member, cell, []::VARCHAR[] AS without, 'pattern' AS reason
  FROM unchanged, same_records, gains
  WHERE (before AND after AND NOT alike)
    OR (before <> after AND NOT (same AND least(of_earlier, of_later) = 0))
)
SELECT indicator, member, cell, without, reason
FROM (FROM judged UNION ALL FROM uncounted UNION ALL FROM patterns)
WHERE reason IS NOT NULL
ORDER BY ALL
