-- What was: a row as it stood at a past time, and each version of a row. A version
-- shows what is derived from other rows as it was when the version was made.
-- The lists go along the rows of today, since a row stays for ever, and look up what
-- each was. A row is never taken to another scope, so the right to read it counts at
-- the scope where it is; nor to another risk or category. What did not change since
-- then is filtered by the row of today, before its version is looked up.

-- name: risk_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_risk}
FROM risk n
CROSS JOIN LATERAL row_at(n.org_id, 'risk', n.id, $5) h
CROSS JOIN LATERAL risk_was(h.row_json, $5) r
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: risk_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit scope_id owner_id state min_level as_of
-- params: uncovered_only
SELECT {columns_of_risk}
FROM risk n
CROSS JOIN LATERAL row_at(n.org_id, 'risk', n.id, $10) h
CROSS JOIN LATERAL risk_was(h.row_json, $10) r
WHERE n.org_id = $1 AND n.created_at <= $10
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.scope_id = $6, $6::uuid IS NULL)
  AND (n.updated_at > $10
       OR (coalesce(n.owner_id = $7, $7::uuid IS NULL) AND coalesce(n.state = $8, $8::text IS NULL)
           AND n.current_level >= coalesce($9::smallint, 0::smallint)))
  AND coalesce(h.row_json ->> 'owner_id' = $7::text, $7 IS NULL)
  AND coalesce(h.row_json ->> 'state' = $8, $8 IS NULL)
  AND coalesce((h.row_json ->> 'current_level')::smallint >= $9, $9 IS NULL)
  AND (NOT $11::boolean OR r.uncovered)
ORDER BY n.id DESC
LIMIT $5;

-- name: treatment_plan_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_plan}
FROM treatment_plan n
CROSS JOIN LATERAL row_at(n.org_id, 'treatment_plan', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::treatment_plan, h.row_json) p
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: treatment_plan_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit risk_id state as_of
SELECT {columns_of_plan}
FROM treatment_plan n
CROSS JOIN LATERAL row_at(n.org_id, 'treatment_plan', n.id, $8) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::treatment_plan, h.row_json) p
WHERE n.org_id = $1 AND n.created_at <= $8
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.risk_id = $6, $6::uuid IS NULL)
  AND (n.updated_at > $8 OR coalesce(n.state = $7, $7::text IS NULL))
  AND coalesce(h.row_json ->> 'state' = $7, $7 IS NULL)
ORDER BY n.id DESC
LIMIT $5;

-- name: risk_acceptance_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_acceptance}
FROM risk_acceptance n
CROSS JOIN LATERAL row_at(n.org_id, 'risk_acceptance', n.id, $5) h
CROSS JOIN LATERAL risk_acceptance_was(h.row_json, $5) c
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: risk_acceptance_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit risk_id state as_of effective_only
SELECT {columns_of_acceptance}
FROM risk_acceptance n
CROSS JOIN LATERAL row_at(n.org_id, 'risk_acceptance', n.id, $8) h
CROSS JOIN LATERAL risk_acceptance_was(h.row_json, $8) c
WHERE n.org_id = $1 AND n.created_at <= $8
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.risk_id = $6, $6::uuid IS NULL)
  AND (n.updated_at > $8 OR coalesce(n.state = $7, $7::text IS NULL))
  AND coalesce(h.row_json ->> 'state' = $7, $7 IS NULL)
  AND (c.effective OR $9::boolean IS NOT TRUE)
ORDER BY n.id DESC
LIMIT $5;

-- name: asset_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_asset}
FROM asset n
CROSS JOIN LATERAL row_at(n.org_id, 'asset', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::asset, h.row_json) t
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: asset_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit ai_system_id category as_of
SELECT {columns_of_asset}
FROM asset n
CROSS JOIN LATERAL row_at(n.org_id, 'asset', n.id, $8) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::asset, h.row_json) t
WHERE n.org_id = $1 AND n.created_at <= $8
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.category = $7, $7::text IS NULL)
  AND (n.updated_at > $8 OR coalesce(n.ai_system_id = $6, $6::uuid IS NULL))
  AND coalesce(h.row_json ->> 'ai_system_id' = $6::text, $6 IS NULL)
ORDER BY n.id DESC
LIMIT $5;

-- name: ai_system_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_system}
FROM ai_system n
CROSS JOIN LATERAL row_at(n.org_id, 'ai_system', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::ai_system, h.row_json) s
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: ai_system_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit scope_id as_of
SELECT {columns_of_system}
FROM ai_system n
CROSS JOIN LATERAL row_at(n.org_id, 'ai_system', n.id, $7) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::ai_system, h.row_json) s
WHERE n.org_id = $1 AND n.created_at <= $7
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.scope_id = $6, $6::uuid IS NULL)
ORDER BY n.id DESC
LIMIT $5;

-- name: risk_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_risk}
FROM row_history h
CROSS JOIN LATERAL risk_was(h.row_json, h.at) r
WHERE h.org_id = $1 AND h.entity_kind = 'risk' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM risk n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: treatment_plan_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_plan}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::treatment_plan, h.row_json) p
WHERE h.org_id = $1 AND h.entity_kind = 'treatment_plan' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM treatment_plan n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: risk_acceptance_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_acceptance}
FROM row_history h
CROSS JOIN LATERAL risk_acceptance_was(h.row_json, h.at) c
WHERE h.org_id = $1 AND h.entity_kind = 'risk_acceptance' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM risk_acceptance n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: asset_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_asset}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::asset, h.row_json) t
WHERE h.org_id = $1 AND h.entity_kind = 'asset' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM asset n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: ai_system_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_system}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::ai_system, h.row_json) s
WHERE h.org_id = $1 AND h.entity_kind = 'ai_system' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM ai_system n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: scope_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_scope}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::scope, h.row_json) s
WHERE h.org_id = $1 AND h.entity_kind = 'scope' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM scope n JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- name: approval_policy_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_policy}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_policy, h.row_json) y
WHERE h.org_id = $1 AND h.entity_kind = 'approval_policy' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (SELECT 1 FROM approval_policy n
              JOIN access a ON a.org_id = n.org_id AND a.scope_id = n.scope_id
              WHERE n.org_id = $1 AND n.id = $6 AND a.user_id = $2 AND $3 = ANY (a.permissions))
ORDER BY h.version DESC
LIMIT $5;

-- For the same people as approval_request_get.
-- name: approval_request_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_request}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_request, h.row_json) q
WHERE h.org_id = $1 AND h.entity_kind = 'approval_request' AND h.entity_id = $6
  AND h.version < key_version($4)
  AND EXISTS (
	SELECT 1 FROM approval_request n
	WHERE n.org_id = $1 AND n.id = $6
	  AND (n.requested_by = $2
	       OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1
	                  AND s.request_id = n.id AND s.user_id = $2)
	       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
	                  AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions))))
ORDER BY h.version DESC
LIMIT $5;
