-- Scopes and AI systems.

-- name: scope_access
-- class: point
-- params: $org $actor id
SELECT s.id AS scope_id, s.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s
CROSS JOIN LATERAL access_at(s.org_id, $2, s.id) AS a
WHERE s.org_id = $1 AND s.id = $3;

-- name: scope_access_parent
-- class: point
-- params: $org $actor parent_id
SELECT s.id AS scope_id, s.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s
CROSS JOIN LATERAL access_at(s.org_id, $2, s.id) AS a
WHERE s.org_id = $1 AND s.id = $3;

-- name: scope_access_scope
-- class: point
-- params: $org $actor scope_id
SELECT s.id AS scope_id, s.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s
CROSS JOIN LATERAL access_at(s.org_id, $2, s.id) AS a
WHERE s.org_id = $1 AND s.id = $3;

-- name: scope_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_scope}
FROM scope s
WHERE s.org_id = $1 AND s.id = $4
  AND EXISTS (SELECT 1 FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND a.scope_id = s.id
                AND $3 = ANY (a.permissions));

-- name: scope_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit
SELECT {columns_of_scope}
FROM scope s
WHERE s.org_id = $1 AND s.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND s.id IN (SELECT a.scope_id FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY s.id DESC
LIMIT $5;

-- name: scope_for_write
-- class: point
-- kind: scope
-- params: $org id
SELECT {columns_of_scope}
FROM scope s
WHERE s.org_id = $1 AND s.id = $2;

-- name: scope_parent
-- class: point
-- kind: scope
-- params: $org parent_id
SELECT {columns_of_scope}
FROM scope s
WHERE s.org_id = $1 AND s.id = $2;

-- The account that a request names as owner.
-- name: owner_for_write
-- class: point
-- kind: app_user
-- params: $org owner_id
SELECT {columns_of_account}
FROM app_user u
WHERE u.org_id = $1 AND u.id = $2;

-- name: scope_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by parent_id kind name
-- params: owner_id boundary interfaces exclusions exclusion_reason state
INSERT INTO scope (org_id, id, version, created_at, created_by, updated_at, updated_by,
        parent_id, kind, name, owner_id, boundary, interfaces, exclusions, exclusion_reason,
        state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: scope_update
-- class: commit
-- params: $org id version updated_at updated_by name owner_id boundary interfaces exclusions
-- params: exclusion_reason state
UPDATE scope
SET version = $3, updated_at = $4, updated_by = $5, name = $6, owner_id = $7, boundary = $8,
    interfaces = $9, exclusions = $10, exclusion_reason = $11, state = $12
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: ai_system_access
-- class: point
-- params: $org $actor id
SELECT s.scope_id AS scope_id, s.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM ai_system s
CROSS JOIN LATERAL access_at(s.org_id, $2, s.scope_id) AS a
WHERE s.org_id = $1 AND s.id = $3;

-- name: ai_system_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_system}
FROM ai_system s
WHERE s.org_id = $1 AND s.id = $4
  AND EXISTS (SELECT 1 FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND a.scope_id = s.scope_id
                AND $3 = ANY (a.permissions));

-- name: ai_system_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit scope_id
SELECT {columns_of_system}
FROM ai_system s
WHERE s.org_id = $1 AND s.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(s.scope_id = $6, $6::uuid IS NULL)
  AND s.scope_id IN (SELECT a.scope_id FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY s.id DESC
LIMIT $5;

-- name: ai_system_for_write
-- class: point
-- kind: ai_system
-- params: $org id
SELECT {columns_of_system}
FROM ai_system s
WHERE s.org_id = $1 AND s.id = $2;

-- name: ai_system_ref
-- class: point
-- tenantless: refs of all organisations come from one sequence
-- params:
SELECT human_ref('AIS', nextval('ai_system_ref')) AS ref;

-- Plans that say not to use the system, those in force first and of them those about
-- more than a feature that count now, and those that wait for a decision: one that is approved
-- meanwhile has moved.
-- name: ai_system_avoid
-- class: point
-- kind: treatment_plan
-- params: $org id
SELECT p.id, p.version, p.option, p.state, p.avoid_action, p.counts_from
FROM treatment_plan p
WHERE p.org_id = $1 AND p.ai_system_id = $2 AND p.option = 'AVOID'
  AND p.state IN ('SUBMITTED', 'APPROVED', 'IN_PROGRESS', 'IMPLEMENTED', 'VERIFIED')
ORDER BY p.state = 'SUBMITTED', p.avoid_action = 'DISABLE_FEATURE',
         p.counts_from NULLS FIRST, p.id
LIMIT 20;

-- name: ai_system_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by ref scope_id name purpose
-- params: sourcing vendor_service processes stores transmits owner_id in_scope out_reason stage
INSERT INTO ai_system (org_id, id, version, created_at, created_by, updated_at, updated_by, ref,
        scope_id, name, purpose, sourcing, vendor_service, processes, stores, transmits,
        owner_id, in_scope, out_reason, stage)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20);

-- name: ai_system_update
-- class: commit
-- params: $org id version updated_at updated_by archived_at name purpose sourcing vendor_service
-- params: processes stores transmits owner_id in_scope out_reason stage
UPDATE ai_system
SET version = $3, updated_at = $4, updated_by = $5, archived_at = $6, name = $7, purpose = $8,
    sourcing = $9, vendor_service = $10, processes = $11, stores = $12, transmits = $13,
    owner_id = $14, in_scope = $15, out_reason = $16, stage = $17
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
