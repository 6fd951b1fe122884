-- What was: each version of a row. A version shows what is derived from other rows as
-- it was when the version was made. A row is never taken to another scope, so the
-- right to read it counts at the scope where it is.

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
