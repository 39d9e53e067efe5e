-- Cells of the release before whose published value, status or limits are not those of this one, after the
-- revisions that the release before told of. A cell that only this release has is no revision.
WITH compared AS (
  SELECT
    ${identity},
    earlier.value AS value_from,
    later.value AS value_to,
    earlier.ci_lower AS ci_lower_from,
    later.ci_lower AS ci_lower_to,
    earlier.ci_upper AS ci_upper_from,
    later.ci_upper AS ci_upper_to,
    earlier.obs_status AS obs_status_from,
    later.obs_status AS obs_status_to,
    later.reason AS reason_to,
    earlier.source AS source_from,
    later.source AS source_to
  FROM earlier
  LEFT JOIN later USING (${identity})
),
revised AS (
  SELECT *
  FROM compared
  WHERE value_from IS DISTINCT FROM value_to
    OR obs_status_from IS DISTINCT FROM obs_status_to
    OR ci_lower_from IS DISTINCT FROM ci_lower_to
    OR ci_upper_from IS DISTINCT FROM ci_upper_to
),
explained AS (  -- the first reason that applies
  SELECT
    * EXCLUDE (reason_to),
    $$label_from AS release_from,
    $$label_to AS release_to,
    CASE
      WHEN source_to IS NULL THEN 'removed'
      WHEN reason_to = 'objection' THEN 'objection'
      WHEN value_from IS NOT NULL AND value_to IS NULL THEN 'withheld'
      WHEN value_from IS NULL AND value_to IS NOT NULL THEN 'shown'
      WHEN source_from <> source_to THEN 'new_version'
      ELSE $$same_source
    END AS revision_reason
  FROM revised
),
told AS (
  SELECT ${columns} FROM earlier_revision
  UNION ALL
  SELECT ${columns} FROM explained
),
shown_now AS (
  SELECT ${identity}, TRUE AS shown FROM later WHERE value IS NOT NULL
)
-- A figure that may no longer be seen is not published once more, not even as the one before.
SELECT
  told.* REPLACE (${figures})
FROM told
LEFT JOIN shown_now USING (${identity})
ORDER BY release_to, release_from, ${identity}, source_from
