-- The risk register. Rows are read through risk_now, which derives disposition,
-- accepted_until and uncovered at this moment.

-- name: risk_next_ref
-- class: point
-- tenantless: reads no table
-- params:
SELECT human_ref('RSK', nextval('risk_ref')) AS ref;

-- Where a risk is made.
-- name: access_risk_scope
-- class: point
-- params: $org $actor scope_id
SELECT s.id AS scope_id, NULL::uuid AS owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM scope s CROSS JOIN LATERAL access_at($1, $2, s.id) a
WHERE s.org_id = $1 AND s.id = $3;

-- name: access_risk
-- class: point
-- params: $org $actor id
SELECT r.scope_id, r.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM risk r CROSS JOIN LATERAL access_at($1, $2, r.scope_id) a
WHERE r.org_id = $1 AND r.id = $3;

-- name: access_risk_of
-- class: point
-- params: $org $actor risk_id
SELECT r.scope_id, r.owner_id, a.permissions, a.max_accept_level, a.role_codes
FROM risk r CROSS JOIN LATERAL access_at($1, $2, r.scope_id) a
WHERE r.org_id = $1 AND r.id = $3;

-- name: risk_get
-- class: point
-- params: $org $actor $permission id
SELECT {columns_of_risk}
FROM risk_now r
WHERE r.org_id = $1 AND r.id = $4
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = r.scope_id AND $3 = ANY (a.permissions));

-- IS TRUE in the lists keeps the planner from joining the caller's scopes row by row:
-- they are found once and hashed, and the rows come in the order of the key. coalesce in
-- the filters keeps it from expecting so few rows that it would rather sort them all.
-- name: risk_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit scope_id owner_id state
-- params: min_level uncovered_only
SELECT {columns_of_risk}
FROM risk_now r
WHERE r.org_id = $1
  AND (r.scope_id IN (SELECT a.scope_id FROM access a WHERE a.org_id = $1
                      AND a.user_id = $2 AND $3 = ANY (a.permissions))) IS TRUE
  AND r.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND coalesce(r.scope_id = $6, $6::uuid IS NULL)
  AND coalesce(r.owner_id = $7, $7::uuid IS NULL)
  AND coalesce(r.state = $8, $8::text IS NULL)
  AND r.current_level >= coalesce($9::smallint, 0::smallint)
  AND (NOT $10::boolean OR r.uncovered)
ORDER BY r.id DESC
LIMIT $5;

-- name: risk_for_write
-- class: point
-- kind: risk
-- params: $org id
SELECT {columns_of_risk}
FROM risk_now r
WHERE r.org_id = $1 AND r.id = $2;

-- name: risk_to_treat
-- class: point
-- kind: risk
-- params: $org risk_id
SELECT {columns_of_risk}
FROM risk_now r
WHERE r.org_id = $1 AND r.id = $2;

-- What a request refers to and the caller may refer to.
-- name: risk_fields_owner
-- class: point
-- params: $org owner_id
SELECT u.id FROM app_user u
WHERE u.org_id = $1 AND u.id = $2 AND u.kind = 'HUMAN' AND u.state <> 'DEACTIVATED';

-- name: risk_fields_system
-- class: point
-- params: $org $actor ai_system_id
SELECT s.id FROM ai_system s
WHERE s.org_id = $1 AND s.id = $3
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = s.scope_id AND 'system.read' = ANY (a.permissions));

-- name: risk_fields_assets
-- class: point
-- params: $org $actor asset_ids
SELECT t.id FROM asset t
WHERE t.org_id = $1 AND t.id = ANY ($3)
  AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = t.scope_id AND 'asset.read' = ANY (a.permissions));

-- name: risk_fields_threats
-- class: point
-- params: $org threat_ids
SELECT t.id FROM threat t WHERE t.org_id = $1 AND t.id = ANY ($2);

-- name: risk_fields_vulnerabilities
-- class: point
-- params: $org vulnerability_ids
SELECT v.id FROM vulnerability v WHERE v.org_id = $1 AND v.id = ANY ($2);

-- name: risk_insert
-- class: commit
-- params: $org id ref version created_at created_by updated_at updated_by scope_id
-- params: ai_system_id title cause event consequence owner_id state asset_ids threat_ids
-- params: vulnerability_ids inherent_likelihood inherent_impact inherent_level
-- params: current_likelihood current_impact current_level target_likelihood target_impact
-- params: target_level method_id
INSERT INTO risk
       (org_id, id, ref, version, created_at, created_by, updated_at, updated_by, scope_id,
        ai_system_id, title, cause, event, consequence, owner_id, state, asset_ids,
        threat_ids, vulnerability_ids, inherent_likelihood, inherent_impact, inherent_level,
        current_likelihood, current_impact, current_level, target_likelihood, target_impact,
        target_level, method_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        coalesce($17::uuid[], '{}'), coalesce($18::uuid[], '{}'),
        coalesce($19::uuid[], '{}'), coalesce($20::smallint, 0::smallint),
        coalesce($21::smallint, 0::smallint), coalesce($22::smallint, 0::smallint),
        coalesce($23::smallint, 0::smallint), coalesce($24::smallint, 0::smallint),
        coalesce($25::smallint, 0::smallint), coalesce($26::smallint, 0::smallint),
        coalesce($27::smallint, 0::smallint), coalesce($28::smallint, 0::smallint), $29);

-- name: risk_update
-- class: commit
-- params: $org id version updated_at updated_by ai_system_id title cause event consequence
-- params: owner_id state asset_ids threat_ids vulnerability_ids inherent_likelihood
-- params: inherent_impact inherent_level current_likelihood current_impact current_level
-- params: target_likelihood target_impact target_level method_id
UPDATE risk
SET     version = $3::bigint, updated_at = $4, updated_by = $5, ai_system_id = $6,
        title = $7, cause = $8, event = $9, consequence = $10, owner_id = $11, state = $12,
        asset_ids = coalesce($13::uuid[], '{}'), threat_ids = coalesce($14::uuid[], '{}'),
        vulnerability_ids = coalesce($15::uuid[], '{}'),
        inherent_likelihood = coalesce($16::smallint, 0::smallint),
        inherent_impact = coalesce($17::smallint, 0::smallint),
        inherent_level = coalesce($18::smallint, 0::smallint),
        current_likelihood = coalesce($19::smallint, 0::smallint),
        current_impact = coalesce($20::smallint, 0::smallint),
        current_level = coalesce($21::smallint, 0::smallint),
        target_likelihood = coalesce($22::smallint, 0::smallint),
        target_impact = coalesce($23::smallint, 0::smallint),
        target_level = coalesce($24::smallint, 0::smallint), method_id = $25
WHERE org_id = $1 AND id = $2 AND version = $3::bigint - 1;

-- name: risk_score_put
-- class: commit
-- params: $org id risk_id kind score_likelihood score_impact score_level method_id
-- params: rationale scored_by scored_by_persons at
INSERT INTO risk_score (org_id, id, risk_id, kind, likelihood, impact, level, method_id, rationale,
                        scored_by, scored_by_persons, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- The dossier of a risk: everything on it that is open or in force. One set of
-- statements for each thing that a request may name: the risk, a plan, an
-- acceptance (each of the latter itself first, whatever its state), an approval
-- request, or an asset, the AI system or a compensating control of the risk (then
-- several risks). The limits are far above what the open and in-force constraints let
-- exist for one risk; for several they are one more than what material_change.h takes.

-- name: dossier_plans_of_risk
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS (SELECT $2::uuid AS risk_id)
SELECT {columns_of_plan}
{from_open_plans}
ORDER BY p.id
LIMIT 33;

-- name: dossier_acceptances_of_risk
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS (SELECT $2::uuid AS risk_id)
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 9;

-- name: dossier_requests_of_risk
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS (SELECT $2::uuid AS risk_id)
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 9;

-- name: dossier_risk_of_plan
-- class: point
-- kind: risk
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_risk}
{from_risk};

-- name: dossier_plans_of_plan
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_plan}
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM treatment_plan x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id
	  AND (x.id = d.plan_id OR x.state IN ({open_plan_states})) OFFSET 0) p
ORDER BY (p.id = d.plan_id) DESC, p.id
LIMIT 33;

-- name: dossier_acceptances_of_plan
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 9;

-- name: dossier_requests_of_plan
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 9;

-- name: dossier_risk_of_acceptance
-- class: point
-- kind: risk
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_risk}
{from_risk};

-- name: dossier_plans_of_acceptance
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_plan}
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM treatment_plan x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id
	  AND (x.id = d.plan_id OR x.state IN ({open_plan_states})) OFFSET 0) p
ORDER BY (p.id = d.plan_id) DESC, p.id
LIMIT 33;

-- name: dossier_acceptances_of_acceptance
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_acceptance}
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM risk_acceptance_now x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id
	  AND (x.id = d.acceptance_id
	       OR x.state IN ('SUBMITTED', 'CHANGES_REQUESTED', 'ACTIVE')) OFFSET 0) c
ORDER BY (c.id = d.acceptance_id) DESC, c.id
LIMIT 9;

-- name: dossier_requests_of_acceptance
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 9;

-- name: dossier_risk_of_request
-- class: point
-- kind: risk
-- params: $org request_id
WITH d AS ({named_request})
SELECT {columns_of_risk}
{from_risk};

-- name: dossier_plans_of_request
-- class: point
-- kind: treatment_plan
-- params: $org request_id
WITH d AS ({named_request})
SELECT {columns_of_plan}
{from_open_plans}
ORDER BY p.id
LIMIT 33;

-- name: dossier_acceptances_of_request
-- class: point
-- kind: risk_acceptance
-- params: $org request_id
WITH d AS ({named_request})
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 9;

-- name: dossier_requests_of_request
-- class: point
-- kind: approval_request
-- params: $org request_id
WITH d AS ({named_request})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 9;

-- Of many risks.

-- name: dossier_risk_of_asset
-- class: point
-- kind: risk
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_asset})
SELECT {columns_of_risk}
{from_risk}
ORDER BY r.id;

-- name: dossier_plans_of_asset
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_asset})
SELECT {columns_of_plan}
{from_open_plans}
ORDER BY p.id
LIMIT 3001;

-- name: dossier_acceptances_of_asset
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_asset})
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 1501;

-- name: dossier_requests_of_asset
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_asset})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 1501;

-- name: dossier_risk_of_system
-- class: point
-- kind: risk
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_system})
SELECT {columns_of_risk}
{from_risk}
ORDER BY r.id;

-- name: dossier_plans_of_system
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_system})
SELECT {columns_of_plan}
{from_open_plans}
ORDER BY p.id
LIMIT 3001;

-- name: dossier_acceptances_of_system
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_system})
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 1501;

-- name: dossier_requests_of_system
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_system})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 1501;

-- name: dossier_risk_of_control
-- class: point
-- kind: risk
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_control})
SELECT {columns_of_risk}
{from_risk}
ORDER BY r.id;

-- name: dossier_plans_of_control
-- class: point
-- kind: treatment_plan
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_control})
SELECT {columns_of_plan}
{from_open_plans}
ORDER BY p.id
LIMIT 3001;

-- name: dossier_acceptances_of_control
-- class: point
-- kind: risk_acceptance
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_control})
SELECT {columns_of_acceptance}
{from_open_acceptances}
ORDER BY c.id
LIMIT 1501;

-- name: dossier_requests_of_control
-- class: point
-- kind: approval_request
-- params: $org id
WITH d AS MATERIALIZED ({decided_risks_of_control})
SELECT {columns_of_request}
{from_open_requests}
ORDER BY q.id
LIMIT 1501;

-- What a risk is about, when a request is opened on it.

-- name: systems_of_acceptance
-- class: point
-- kind: ai_system
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_system}
{from_systems};

-- name: assets_of_acceptance
-- class: point
-- kind: asset
-- params: $org id
WITH d AS ({named_acceptance})
SELECT {columns_of_asset}
{from_assets};

-- name: systems_of_plan
-- class: point
-- kind: ai_system
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_system}
{from_systems};

-- name: assets_of_plan
-- class: point
-- kind: asset
-- params: $org id
WITH d AS ({named_plan})
SELECT {columns_of_asset}
{from_assets};

-- What a change of many risks should have ended and has not read: opened, or come into
-- force, between its load and its commit. What is only to be reviewed has its time.

-- name: leftover_of_asset
-- class: commit
-- params: $org id
SELECT must_one((1 - count(*))::bigint) FROM (
	SELECT 1 FROM risk_asset l
	WHERE l.org_id = $1 AND l.asset_id = $2 AND ({unsettled})
	LIMIT 1) AS left_over;

-- name: leftover_of_system
-- class: commit
-- params: $org id
SELECT must_one((1 - count(*))::bigint) FROM (
	SELECT 1 FROM ({risks_of_system}) AS l
	WHERE ({unsettled})
	LIMIT 1) AS left_over;

-- name: leftover_of_control
-- class: commit
-- params: $org id
SELECT must_one((1 - count(*))::bigint) FROM (
	SELECT 1 FROM risk_acceptance_control l
	CROSS JOIN LATERAL (
		SELECT x.state, x.review_due_at FROM risk_acceptance x
		WHERE x.org_id = $1 AND x.id = l.acceptance_id OFFSET 0) c
	WHERE l.org_id = $1 AND l.control_id = $2
	  AND (c.state = 'SUBMITTED' OR (c.state = 'ACTIVE' AND c.review_due_at IS NULL))
	LIMIT 1) AS left_over;
