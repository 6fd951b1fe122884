-- Threats, vulnerabilities and controls of the organisation.

-- name: threat_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
       t.code, t.name, t.family, t.description, t.builtin
FROM threat t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;

-- name: vulnerability_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
       t.code, t.name, t.area, t.description, t.how_to_check, t.builtin
FROM vulnerability t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;

-- name: control_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
       t.code, t.name, t.kind, t.statement, t.evidence, t.state, t.builtin
FROM control t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;
