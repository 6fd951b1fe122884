-- Threats, vulnerabilities and controls of the organisation.

-- name: threat_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT {columns_of_threat}
FROM threat t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;

-- name: vulnerability_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT {columns_of_vulnerability}
FROM vulnerability t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;

-- name: control_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_control}
FROM control t
WHERE t.org_id = $1 AND t.id = $4 AND may_somewhere($1, $2, $3);

-- name: control_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit code
SELECT {columns_of_control}
FROM control t
WHERE t.org_id = $1 AND may_somewhere($1, $2, $3)
  AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR t.code = $6)
ORDER BY t.id DESC
LIMIT $5;

-- A control is the organisation's: it is written with a permission at the root and read
-- with one anywhere.
-- name: access_control
-- class: point
-- params: $org $actor id
SELECT r.id AS scope_id, NULL::uuid AS owner_id,
       CASE WHEN may_somewhere(t.org_id, $2, 'catalog.read')
            THEN array_append(a.permissions, 'catalog.read') ELSE a.permissions END AS permissions,
       a.max_accept_level, a.role_codes
FROM control t
JOIN scope r ON r.org_id = t.org_id AND r.parent_id IS NULL
CROSS JOIN LATERAL access_at(t.org_id, $2, r.id) AS a
WHERE t.org_id = $1 AND t.id = $3;

-- name: control_for_write
-- class: point
-- kind: control
-- params: $org id
SELECT {columns_of_control}
FROM control t
WHERE t.org_id = $1 AND t.id = $2;

-- name: control_update
-- class: commit
-- params: $org id version updated_at updated_by archived_at state
UPDATE control
SET     version = $3::bigint, updated_at = $4, updated_by = $5, archived_at = $6, state = $7
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
