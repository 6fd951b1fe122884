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

-- name: scope_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_scope}
FROM scope n
CROSS JOIN LATERAL row_at(n.org_id, 'scope', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::scope, h.row_json) s
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.id AND $3 = ANY (a.permissions));

-- name: scope_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit as_of
SELECT {columns_of_scope}
FROM scope n
CROSS JOIN LATERAL row_at(n.org_id, 'scope', n.id, $6) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::scope, h.row_json) s
WHERE n.org_id = $1 AND n.created_at <= $6
  AND (n.id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY n.id DESC
LIMIT $5;

-- name: approval_policy_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_policy}
FROM approval_policy n
CROSS JOIN LATERAL row_at(n.org_id, 'approval_policy', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_policy, h.row_json) y
WHERE n.org_id = $1 AND n.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = n.scope_id AND $3 = ANY (a.permissions));

-- name: approval_policy_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit state subject_kind as_of
SELECT {columns_of_policy}
FROM approval_policy n
CROSS JOIN LATERAL row_at(n.org_id, 'approval_policy', n.id, $8) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_policy, h.row_json) y
WHERE n.org_id = $1 AND n.created_at <= $8
  AND (n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.subject_kind = $7, $7::text IS NULL)
  AND (n.updated_at > $8 OR coalesce(n.state = $6, $6::text IS NULL))
  AND coalesce(h.row_json ->> 'state' = $6, $6 IS NULL)
ORDER BY n.id DESC
LIMIT $5;

-- name: control_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_control}
FROM control n
CROSS JOIN LATERAL row_at(n.org_id, 'control', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::control, h.row_json) t
WHERE n.org_id = $1 AND n.id = $4 AND may_somewhere($1, $2, $3);

-- name: control_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit code as_of
SELECT {columns_of_control}
FROM control n
CROSS JOIN LATERAL row_at(n.org_id, 'control', n.id, $7) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::control, h.row_json) t
WHERE n.org_id = $1 AND n.created_at <= $7 AND may_somewhere($1, $2, $3)
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::text = '' OR n.code = $6)
ORDER BY n.id DESC
LIMIT $5;

-- name: role_grant_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit user_id as_of
SELECT {columns_of_grant}
FROM role_grant n
CROSS JOIN LATERAL row_at(n.org_id, 'role_grant', n.id, $7) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::role_grant, h.row_json) g
WHERE n.org_id = $1 AND n.created_at <= $7 AND may_somewhere($1, $2, $3)
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.user_id = $6, $6::uuid IS NULL)
ORDER BY n.id DESC
LIMIT $5;

-- The names of people are those of today: accounts are not kept.
-- name: delegation_get_past
-- class: point
-- params: $org $actor $permission id as_of
SELECT {columns_of_delegation}
FROM delegation n
CROSS JOIN LATERAL row_at(n.org_id, 'delegation', n.id, $5) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::delegation, h.row_json) d
CROSS JOIN LATERAL (SELECT $5::timestamptz AS at) w
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
WHERE n.org_id = $1 AND n.id = $4 AND {may_read_delegation};

-- name: delegation_list_past
-- class: list
-- params: $org $actor $permission $page_after $page_limit user_id open_only as_of
SELECT {columns_of_delegation}
FROM delegation n
CROSS JOIN LATERAL row_at(n.org_id, 'delegation', n.id, $8) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::delegation, h.row_json) d
CROSS JOIN LATERAL (SELECT $8::timestamptz AS at) w
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
WHERE n.org_id = $1 AND n.created_at <= $8
  AND ($2 IN (n.from_user_id, n.to_user_id)
       OR n.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                         AND a.user_id = $2 AND $3 = ANY (a.permissions)))
  AND n.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::uuid IS NULL OR $6 IN (n.from_user_id, n.to_user_id))
  AND (NOT $7::boolean OR (d.revoked_at IS NULL AND d.ends_at > w.at))
ORDER BY n.id DESC
LIMIT $5;

-- name: approval_request_get_past
-- class: point
-- params: $org $actor id as_of
SELECT {columns_of_request}
FROM approval_request n
CROSS JOIN LATERAL row_at(n.org_id, 'approval_request', n.id, $4) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_request, h.row_json) q
WHERE n.org_id = $1 AND n.id = $3 AND {may_read_request};

-- name: approval_snapshot_get_past
-- class: point
-- params: $org $actor id as_of
SELECT t.snapshot
FROM approval_request q
JOIN approval_snapshot t ON t.org_id = q.org_id AND t.request_id = q.id
WHERE q.org_id = $1 AND q.id = $3 AND q.created_at <= $4 AND {may_read_request};

-- Who is asked by an escalation is there from the version on that tells of it. What has
-- become of those who are asked is settled when the request is closed; until then it
-- follows from the votes.
-- name: approval_assignees_get_past
-- class: point
-- params: $org $actor id as_of
SELECT t.step_no, t.user_id, t.display_name, t.via,
       CASE WHEN q.closed_at <= $4 AND t.state = 'PENDING' THEN 'VOID'
            WHEN q.closed_at <= $4 THEN t.state
            WHEN v.decision = 'RECUSE' THEN 'RECUSED'
            WHEN v.decision IS NOT NULL THEN 'VOTED'
            ELSE 'PENDING' END AS state, t.escalated
FROM approval_request q
JOIN approval_assignee t ON t.org_id = q.org_id AND t.request_id = q.id
LEFT JOIN approval_vote v ON v.org_id = t.org_id AND v.request_id = t.request_id
                         AND v.step_no = t.step_no AND v.assignee_id = t.user_id AND v.at <= $4
WHERE q.org_id = $1 AND q.id = $3 AND q.created_at <= $4 AND {may_read_request}
  AND (NOT t.escalated OR q.closed_at <= $4
       OR EXISTS (SELECT 1 FROM row_history h
                  WHERE h.org_id = $1 AND h.entity_kind = 'approval_request' AND h.entity_id = q.id
                    AND h.at <= $4
                    AND ((h.row_json ->> 'current_step')::integer > t.step_no
                         OR ((h.row_json ->> 'current_step')::integer = t.step_no
                             AND (h.row_json ->> 'escalated')::boolean))))
ORDER BY t.step_no, t.display_name, t.user_id;

-- name: approval_votes_get_past
-- class: point
-- params: $org $actor id as_of
SELECT t.id, t.step_no, t.voter_id, t.voter_person, t.voter_name, t.decision, t.comment,
       t.snapshot_sha256, t.at, t.on_behalf_of, t.on_behalf_of_name, t.delegation_id,
       (e.state = 'VOID' AND q.closed_at <= $4) IS TRUE AS void
FROM approval_request q
JOIN approval_vote t ON t.org_id = q.org_id AND t.request_id = q.id
JOIN approval_assignee e ON e.org_id = t.org_id AND e.request_id = t.request_id
                        AND e.step_no = t.step_no AND e.user_id = t.assignee_id
WHERE q.org_id = $1 AND q.id = $3 AND t.at <= $4 AND {may_read_request}
ORDER BY t.id;

-- name: approval_request_list_past
-- class: list
-- params: $org $actor $page_after $page_limit state subject_kind scope_id risk_id
-- params: requested_by as_of
SELECT {columns_of_request}
FROM approval_request n
CROSS JOIN LATERAL row_at(n.org_id, 'approval_request', n.id, $10) h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_request, h.row_json) q
WHERE n.org_id = $1 AND n.created_at <= $10 AND {may_read_request}
  AND n.id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(n.subject_kind = $6, $6::text IS NULL)
  AND coalesce(n.scope_id = $7, $7::uuid IS NULL)
  AND coalesce(n.risk_id = $8, $8::uuid IS NULL)
  AND coalesce(n.requested_by = $9, $9::uuid IS NULL)
  AND (n.updated_at > $10 OR coalesce(n.state = $5, $5::text IS NULL))
  AND coalesce(h.row_json ->> 'state' = $5, $5 IS NULL)
ORDER BY n.id DESC
LIMIT $4;

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

-- name: approval_request_versions
-- class: list
-- params: $org $actor $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_request}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::approval_request, h.row_json) q
WHERE h.org_id = $1 AND h.entity_kind = 'approval_request' AND h.entity_id = $5
  AND h.version < key_version($3) AND {may_read_request}
ORDER BY h.version DESC
LIMIT $4;

-- name: control_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_control}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::control, h.row_json) t
WHERE h.org_id = $1 AND h.entity_kind = 'control' AND h.entity_id = $6
  AND h.version < key_version($4) AND may_somewhere($1, $2, $3)
ORDER BY h.version DESC
LIMIT $5;

-- name: threat_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_threat}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::threat, h.row_json) t
WHERE h.org_id = $1 AND h.entity_kind = 'threat' AND h.entity_id = $6
  AND h.version < key_version($4) AND may_somewhere($1, $2, $3)
ORDER BY h.version DESC
LIMIT $5;

-- name: vulnerability_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_vulnerability}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::vulnerability, h.row_json) t
WHERE h.org_id = $1 AND h.entity_kind = 'vulnerability' AND h.entity_id = $6
  AND h.version < key_version($4) AND may_somewhere($1, $2, $3)
ORDER BY h.version DESC
LIMIT $5;

-- name: risk_method_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_method}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::risk_method, h.row_json) m
WHERE h.org_id = $1 AND h.entity_kind = 'risk_method' AND h.entity_id = $6
  AND h.version < key_version($4) AND may_somewhere($1, $2, $3)
ORDER BY h.version DESC
LIMIT $5;

-- name: role_grant_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_grant}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::role_grant, h.row_json) g
WHERE h.org_id = $1 AND h.entity_kind = 'role_grant' AND h.entity_id = $6
  AND h.version < key_version($4) AND may_somewhere($1, $2, $3)
ORDER BY h.version DESC
LIMIT $5;

-- name: delegation_versions
-- class: list
-- params: $org $actor $permission $page_after $page_limit id
SELECT version_key(h.version) AS page_key, {columns_of_delegation}
FROM row_history h
CROSS JOIN LATERAL jsonb_populate_record(NULL::delegation, h.row_json) d
CROSS JOIN LATERAL (SELECT h.at) w
JOIN app_user f ON f.org_id = $1 AND f.id = d.from_user_id
JOIN app_user t ON t.org_id = $1 AND t.id = d.to_user_id
WHERE h.org_id = $1 AND h.entity_kind = 'delegation' AND h.entity_id = $6
  AND h.version < key_version($4) AND {may_read_delegation}
ORDER BY h.version DESC
LIMIT $5;
