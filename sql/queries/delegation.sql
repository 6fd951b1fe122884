-- Delegations of votes. What a delegation is worth towards a request is read with the
-- vote: approval.sql.

-- name: delegation_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('DEL', nextval('delegation_ref')) AS ref;

-- The account that is to vote.
-- name: delegation_delegate
-- class: point
-- kind: app_user
-- params: $org to_user_id
SELECT {columns_of_account}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $2;

-- Whether it sees what it would vote on.
-- name: delegation_reach
-- class: point
-- params: $org to_user_id scope_id
SELECT ARRAY['approval.read', 'risk.read'] <@ a.permissions AS held
FROM access_at($1, $2, $3) a
WHERE $1::uuid IS NOT NULL;

-- name: delegation_roles
-- class: point
-- params: $org to_user_id
{roles_of_person}
ORDER BY r.code;

-- Those of the caller that are not over.
-- name: delegation_open
-- class: point
-- params: $org $actor
SELECT d.id
FROM delegation d
WHERE d.org_id = $1 AND d.from_user_id = $2 AND d.revoked_at IS NULL AND d.ends_at > now()
LIMIT 32;

-- Delegator and delegate see it wherever it is.
-- name: delegation_access
-- class: point
-- params: $org $actor id
SELECT d.scope_id, NULL::uuid AS owner_id,
       CASE WHEN $2 IN (d.from_user_id, d.to_user_id)
            THEN array_append(a.permissions, 'delegation.see')
            WHEN 'approval.read' = ANY (a.permissions) OR 'grant.write' = ANY (a.permissions)
            THEN array_append(a.permissions, 'delegation.see')
            ELSE a.permissions END AS permissions,
       a.max_accept_level, a.role_codes
FROM delegation d
CROSS JOIN LATERAL access_at($1, $2, d.scope_id) AS a
WHERE d.org_id = $1 AND d.id = $3;

-- name: delegation_for_write
-- class: point
-- kind: delegation
-- params: $org id
SELECT {columns_of_delegation}
FROM delegation d
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
CROSS JOIN LATERAL (SELECT now() AS at) w
WHERE d.org_id = $1 AND d.id = $2;

-- name: delegation_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_delegation}
FROM delegation d
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
CROSS JOIN LATERAL (SELECT now() AS at) w
WHERE d.org_id = $1 AND d.id = $4 AND {may_read_delegation};

-- name: delegation_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit user_id open_only
SELECT {columns_of_delegation}
FROM delegation d
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
CROSS JOIN LATERAL (SELECT now() AS at) w
WHERE d.org_id = $1
  AND ($2 IN (d.from_user_id, d.to_user_id)
       OR d.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                         AND a.user_id = $2 AND $3 = ANY (a.permissions)))
  AND d.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::uuid IS NULL OR $6 IN (d.from_user_id, d.to_user_id))
  AND (NOT $7::boolean OR (d.revoked_at IS NULL AND d.ends_at > now()))
ORDER BY d.id DESC
LIMIT $5;

-- name: delegation_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by from_user_id
-- params: to_user_id scope_id subject_kinds max_level starts_at ends_at reason
INSERT INTO delegation (org_id, id, ref, version, created_at, created_by, updated_at, updated_by,
                        from_user_id, to_user_id, scope_id, subject_kinds, max_level, starts_at,
                        ends_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13::smallint, 0::smallint),
        $14, $15, $16);

-- name: delegation_update
-- class: commit
-- params: $org id version updated_at updated_by revoked_at revoke_reason
UPDATE delegation
SET version = $3::bigint, updated_at = $4, updated_by = $5, revoked_at = $6, revoke_reason = $7
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
