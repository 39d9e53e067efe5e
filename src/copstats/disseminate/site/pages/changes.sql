-- Revisions of all releases by release, country and reason, the newest first.
SELECT release_to, release_from, ref_area, revision_reason AS reason, count(*) AS cells,
  count(DISTINCT indicator) AS indicators
FROM revision
GROUP BY ALL
ORDER BY release_to DESC, ref_area, reason
