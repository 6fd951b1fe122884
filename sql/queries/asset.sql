-- The inventory of assets.

-- name: asset_access
-- class: point
-- params: $org $actor id
SELECT t.scope_id AS scope_id, t.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM asset t
CROSS JOIN LATERAL access_at(t.org_id, $2, t.scope_id) AS a
WHERE t.org_id = $1 AND t.id = $3;

-- name: asset_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_asset}
FROM asset t
WHERE t.org_id = $1 AND t.id = $4
  AND EXISTS (SELECT 1 FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND a.scope_id = t.scope_id
                AND $3 = ANY (a.permissions));

-- name: asset_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit ai_system_id category
SELECT {columns_of_asset}
FROM asset t
WHERE t.org_id = $1 AND t.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(t.ai_system_id = $6, $6::uuid IS NULL)
  AND coalesce(t.category = $7, $7::text IS NULL)
  AND t.scope_id IN (SELECT a.scope_id FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY t.id DESC
LIMIT $5;

-- name: asset_for_write
-- class: point
-- kind: asset
-- params: $org id
SELECT {columns_of_asset}
FROM asset t
WHERE t.org_id = $1 AND t.id = $2;

-- The AI system that a request names, if the caller may see it.
-- name: asset_ai_system
-- class: point
-- kind: ai_system
-- params: $org $actor ai_system_id
SELECT {columns_of_system}
FROM ai_system s
WHERE s.org_id = $1 AND s.id = $3
  AND EXISTS (SELECT 1 FROM access a
              WHERE a.org_id = $1 AND a.user_id = $2 AND a.scope_id = s.scope_id
                AND 'system.read' = ANY (a.permissions));

-- name: asset_ref
-- class: point
-- tenantless: refs of all organisations come from one sequence
-- params:
SELECT human_ref('AST', nextval('asset_ref')) AS ref;

-- name: asset_insert
-- class: commit
-- params: $org id version created_at created_by updated_at updated_by ref scope_id ai_system_id
-- params: category subtype name description owner_id classification class_source class_reason
-- params: use_case location_uri state
INSERT INTO asset (org_id, id, version, created_at, created_by, updated_at, updated_by, ref,
        scope_id, ai_system_id, category, subtype, name, description, owner_id, classification,
        class_source, class_reason, use_case, location_uri, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        nullif($16::smallint, 0), nullif($17::text, ''), $18, $19, $20, $21);

-- name: asset_update
-- class: commit
-- params: $org id version updated_at updated_by archived_at ai_system_id subtype name
-- params: description owner_id classification class_source class_reason use_case location_uri
-- params: state
UPDATE asset
SET version = $3, updated_at = $4, updated_by = $5, archived_at = $6, ai_system_id = $7,
    subtype = $8, name = $9, description = $10, owner_id = $11,
    classification = nullif($12::smallint, 0), class_source = nullif($13::text, ''),
    class_reason = $14, use_case = $15, location_uri = $16, state = $17
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;
