-- What several statements share; see server/db/fragment.h.

-- Of risk_now r.
-- fragment: columns_of_risk
r.id, r.ref, r.version, r.created_at, r.created_by, r.updated_at, r.updated_by,
r.archived_at, r.scope_id, r.ai_system_id, r.title, r.cause, r.event, r.consequence,
r.owner_id, r.state, r.disposition, r.asset_ids, r.threat_ids, r.vulnerability_ids,
r.inherent_likelihood, r.inherent_impact, r.inherent_level, r.current_likelihood,
r.current_impact, r.current_level, r.target_likelihood, r.target_impact,
r.target_level, r.method_id, r.accepted_until, r.tolerance, r.uncovered;

-- Of treatment_plan p.
-- fragment: columns_of_plan
p.id, p.ref, p.version, p.created_at, p.created_by, p.updated_at, p.updated_by,
p.archived_at, p.scope_id, p.risk_id, p.option, p.state, p.author_id, p.content,
p.approval_request_id, p.contributor_ids, p.ai_system_id, p.lapses_at, p.control_ids,
p.assignee_ids, p.progress, p.verification, p.end_reason, p.avoid_action,
p.lowered, p.counts_from, p.supersedes_id, p.due_at;

-- Of risk_acceptance_now c.
-- fragment: columns_of_acceptance
c.id, c.ref, c.version, c.created_at, c.created_by, c.updated_at, c.updated_by,
c.archived_at, c.scope_id, c.risk_id, c.plan_id, c.state, c.effective, c.rationale,
c.business_reason, c.conditions, c.compensating_control_ids, c.author_id,
c.requested_by, c.level, c.valid_from, c.valid_until, c.approval_request_id,
c.ended_at, c.ended_by, c.end_reason, c.contributor_ids, c.previous_id, c.warned_days,
c.review_days, c.review_due_at, c.review_reason, c.review_by_persons,
c.review_warned;

-- Of approval_request q.
-- fragment: columns_of_request
q.id, q.ref, q.version, q.created_at, q.created_by, q.updated_at, q.updated_by,
q.archived_at, q.scope_id, q.subject_kind, q.subject_id, q.subject_ref,
q.subject_version, q.risk_id, q.risk_version, q.level, q.state, q.current_step,
q.requested_by, q.requested_by_person, q.contributor_persons, q.snapshot_sha256,
q.policy_id, q.policy_no, q.steps, q.closed_at, q.close_reason, q.step_opened_at,
q.step_due_at, q.escalates_at, q.escalated, q.escalates_to, q.allows_delegate,
q.distinct_from_prior;

-- Of approval_policy y.
-- fragment: columns_of_policy
y.id, y.ref, y.version, y.created_at, y.created_by, y.updated_at, y.updated_by,
y.archived_at, y.subject_kind, y.scope_id, y.min_level, y.max_level, y.priority, y.no,
y.steps, y.title, y.state, y.author_id, y.contributor_ids, y.replaces_id, y.repeals,
y.approval_request_id, y.replaces_version;

-- The caller $2 may read the approval_request q: its requester, its assignees, and who
-- may read approvals in its scope.
-- fragment: may_read_request
(q.requested_by = $2
 OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = q.id
            AND s.user_id = $2)
 OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
            AND a.scope_id = q.scope_id AND 'approval.read' = ANY (a.permissions)));

-- The caller $2 may read the delegation d: it is from or to the caller, or the caller
-- has $3 in its scope.
-- fragment: may_read_delegation
($2 IN (d.from_user_id, d.to_user_id)
 OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
            AND a.scope_id = d.scope_id AND $3 = ANY (a.permissions)));

-- The caller $2 may export the approval_request q with its audit events.
-- fragment: may_bundle
EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
        AND a.scope_id = q.scope_id AND $3 = ANY (a.permissions))
AND EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
            AND a.scope_id = q.scope_id AND 'approval.read' = ANY (a.permissions));

-- The object $3 as far as the caller $2 may see it.
-- fragment: object_seen
SELECT x.kind, x.id, x.ref, x.scope_id, x.owner_id
FROM (SELECT 'scope' AS kind, s.id, '' AS ref, s.id AS scope_id, s.owner_id,
             'scope.read' AS permission
      FROM scope s WHERE s.org_id = $1 AND s.id = $3
      UNION ALL
      SELECT 'ai_system', s.id, s.ref, s.scope_id, s.owner_id, 'system.read'
      FROM ai_system s WHERE s.org_id = $1 AND s.id = $3
      UNION ALL
      SELECT 'asset', s.id, s.ref, s.scope_id, s.owner_id, 'asset.read'
      FROM asset s WHERE s.org_id = $1 AND s.id = $3
      UNION ALL
      SELECT 'risk', r.id, r.ref, r.scope_id, r.owner_id, 'risk.read'
      FROM risk r WHERE r.org_id = $1 AND r.id = $3
      UNION ALL
      SELECT 'treatment_plan', p.id, p.ref, p.scope_id, r.owner_id, 'plan.read'
      FROM treatment_plan p JOIN risk r ON r.org_id = $1 AND r.id = p.risk_id
      WHERE p.org_id = $1 AND p.id = $3
      UNION ALL
      SELECT 'risk_acceptance', c.id, c.ref, c.scope_id, r.owner_id, 'acceptance.read'
      FROM risk_acceptance c JOIN risk r ON r.org_id = $1 AND r.id = c.risk_id
      WHERE c.org_id = $1 AND c.id = $3
      UNION ALL
      SELECT 'approval_policy', y.id, y.ref, y.scope_id, NULL, 'policy.read'
      FROM approval_policy y WHERE y.org_id = $1 AND y.id = $3
      UNION ALL
      SELECT 'approval_request', q.id, q.ref, q.scope_id, r.owner_id, 'approval.read'
      FROM approval_request q LEFT JOIN risk r ON r.org_id = $1 AND r.id = q.risk_id
      WHERE q.org_id = $1 AND q.id = $3) x
WHERE EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
              AND a.scope_id = x.scope_id AND x.permission = ANY (a.permissions))
   OR EXISTS (SELECT 1 FROM approval_request q WHERE q.org_id = $1 AND q.id = $3
              AND q.requested_by = $2)
   OR EXISTS (SELECT 1 FROM approval_assignee s WHERE s.org_id = $1 AND s.request_id = $3
              AND s.user_id = $2);

-- The risk of the plan $2.
-- fragment: named_plan
SELECT p.risk_id, p.id AS plan_id FROM treatment_plan p
WHERE p.org_id = $1 AND p.id = $2;

-- The risk of the acceptance $2.
-- fragment: named_acceptance
SELECT c.risk_id, c.plan_id, c.id AS acceptance_id FROM risk_acceptance c
WHERE c.org_id = $1 AND c.id = $2;

-- The risk of the approval request $2.
-- fragment: named_request
SELECT q.risk_id FROM approval_request q
WHERE q.org_id = $1 AND q.id = $2;

-- The risks of the asset $2 with something pending or in force.
-- fragment: decided_risks_of_asset
SELECT l.risk_id FROM risk_asset l
WHERE l.org_id = $1 AND l.asset_id = $2
  AND (EXISTS (SELECT 1 FROM approval_request q WHERE q.org_id = $1
               AND q.risk_id = l.risk_id AND q.state = 'PENDING')
       OR EXISTS (SELECT 1 FROM (
               SELECT c.state FROM risk_acceptance c
               WHERE c.org_id = $1 AND c.risk_id = l.risk_id OFFSET 0) c
               WHERE c.state = 'ACTIVE'))
ORDER BY l.risk_id LIMIT 1001;

-- The risks of the AI system $2: those that name it, and those of its assets.
-- fragment: risks_of_system
SELECT x.id AS risk_id FROM risk x WHERE x.org_id = $1 AND x.ai_system_id = $2
UNION
SELECT n.risk_id FROM asset t
CROSS JOIN LATERAL (
	SELECT y.risk_id FROM risk_asset y
	WHERE y.org_id = $1 AND y.asset_id = t.id OFFSET 0) n
WHERE t.org_id = $1 AND t.ai_system_id = $2;

-- Of these, the risks with something pending or in force.
-- fragment: decided_risks_of_system
SELECT l.risk_id FROM ({risks_of_system}) l
WHERE EXISTS (SELECT 1 FROM approval_request q WHERE q.org_id = $1
              AND q.risk_id = l.risk_id AND q.state = 'PENDING')
   OR EXISTS (SELECT 1 FROM (
              SELECT c.state FROM risk_acceptance c
              WHERE c.org_id = $1 AND c.risk_id = l.risk_id OFFSET 0) c
              WHERE c.state = 'ACTIVE')
ORDER BY l.risk_id LIMIT 1001;

-- A request is open on the risk l.risk_id, or an acceptance in force and not to be reviewed.
-- fragment: unsettled
EXISTS (SELECT 1 FROM approval_request q WHERE q.org_id = $1
        AND q.risk_id = l.risk_id AND q.state = 'PENDING')
OR EXISTS (SELECT 1 FROM (
           SELECT c.state, c.review_due_at FROM risk_acceptance c
           WHERE c.org_id = $1 AND c.risk_id = l.risk_id OFFSET 0) c
           WHERE c.state = 'ACTIVE' AND c.review_due_at IS NULL);

-- Of plans that are open or in force.
-- fragment: open_plan_states
'SUBMITTED', 'CHANGES_REQUESTED', 'APPROVED', 'IN_PROGRESS',
'IMPLEMENTED', 'VERIFIED';

-- The risks with an acceptance, pending or in force, that counts on the control $2.
-- fragment: decided_risks_of_control
SELECT DISTINCT c.risk_id FROM risk_acceptance_control l
CROSS JOIN LATERAL (
	SELECT x.risk_id FROM risk_acceptance x
	WHERE x.org_id = $1 AND x.id = l.acceptance_id
	  AND x.state IN ('SUBMITTED', 'ACTIVE') OFFSET 0) c
WHERE l.org_id = $1 AND l.control_id = $2
ORDER BY c.risk_id LIMIT 1001;

-- Of control t.
-- fragment: columns_of_control
t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
t.code, t.name, t.kind, t.statement, t.evidence, t.state, t.builtin;

-- Of threat t.
-- fragment: columns_of_threat
t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
t.code, t.name, t.family, t.description, t.builtin;

-- Of vulnerability t.
-- fragment: columns_of_vulnerability
t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
t.code, t.name, t.area, t.description, t.how_to_check, t.builtin;

-- Of risk_method m.
-- fragment: columns_of_method
m.id, m.version, m.created_at, m.created_by, m.updated_at, m.updated_by, m.archived_at,
m.no, m.title, m.active, m.criteria;

-- Of asset t.
-- fragment: columns_of_asset
t.id, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by, t.archived_at,
t.ref, t.scope_id, t.ai_system_id, t.category, t.subtype, t.name, t.description,
t.owner_id, t.classification, t.class_source, t.class_reason, t.use_case,
t.location_uri, t.state;

-- Of ai_system s.
-- fragment: columns_of_system
s.id, s.version, s.created_at, s.created_by, s.updated_at, s.updated_by, s.archived_at,
s.ref, s.scope_id, s.name, s.purpose, s.sourcing, s.vendor_service, s.processes,
s.stores, s.transmits, s.owner_id, s.in_scope, s.out_reason, s.stage;

-- Of app_user u.
-- fragment: columns_of_account
u.id, u.version, u.created_at, u.created_by, u.updated_at, u.updated_by, u.archived_at,
u.org_id, u.email, u.display_name, u.kind, u.state, u.person_id, u.owner_person_ids,
u.password_hash, u.failed_logins, u.locked_until, u.last_login_at;

-- Of session s.
-- fragment: columns_of_session
s.id, s.version, s.created_at, s.created_by, s.updated_at, s.updated_by, s.archived_at,
s.user_id, s.name, s.token_sha256, s.issued_at, s.expires_at, s.last_seen_at,
s.revoked_at;

-- Of app_user u.
-- fragment: columns_of_user
u.id, u.version, u.created_at, u.created_by, u.updated_at, u.updated_by, u.archived_at,
u.email, u.display_name, u.kind,
CASE WHEN u.state = 'ACTIVE' AND u.locked_until > now() THEN 'LOCKED' ELSE u.state END AS state,
u.person_id, u.owner_person_ids,
CASE WHEN u.state = 'ACTIVE' AND u.locked_until > now() THEN u.locked_until END AS locked_until,
u.last_login_at;

-- Of role_grant g.
-- fragment: columns_of_grant
g.id, g.version, g.created_at, g.created_by, g.updated_at, g.updated_by, g.archived_at,
g.user_id, g.role_code, g.scope_id, g.max_accept_level, g.valid_from, g.valid_until,
g.revoked_at;

-- Of scope s.
-- fragment: columns_of_scope
s.id, s.version, s.created_at, s.created_by, s.updated_at, s.updated_by, s.archived_at,
s.parent_id, s.kind, s.name, s.owner_id, s.boundary, s.interfaces, s.exclusions,
s.exclusion_reason, s.state;

-- Of outbox o and its audit_event e, both NULL where there is no row.
-- fragment: columns_of_event
coalesce(o.tx::text::bigint, 0) AS tx, coalesce(o.seq, 0) AS seq, o.org_id, o.id, o.at,
coalesce(o.topic, '') AS topic, coalesce(o.entity_kind, '') AS entity_kind, o.entity_id,
coalesce(left(o.entity_ref, 64), '') AS entity_ref,
coalesce(o.entity_version, 0) AS entity_version, o.scope_id,
(SELECT array_agg(k.ancestor_id) FROM scope_closure k
 WHERE k.org_id = o.org_id AND k.descendant_id = o.scope_id) AS scope_ids,
e.actor_id, coalesce(left(e.actor_name, 200), '') AS actor_name, o.audit_event_id;

-- Of access a of app_user u, who holds it, given by app_user g.
-- fragment: columns_of_candidate
u.id AS user_id, u.person_id, u.display_name, u.kind, a.role_code, a.max_accept_level,
'decision.cast' = ANY (a.permissions) AS may_decide,
CASE g.kind WHEN 'HUMAN' THEN ARRAY[g.person_id] WHEN 'SERVICE' THEN g.owner_person_ids
            ELSE '{}'::uuid[] END AS granted_by_persons, a.granted_at;

-- Whether app_user u owns what is decided on: risk r, the scope s, assets o of the risk.
-- fragment: columns_of_ownership
(r.owner_id = u.id) IS TRUE AS owner, (s.owner_id = u.id) IS TRUE AS scope_owner,
(u.id = ANY (o.owner_ids)) IS TRUE AS asset_owner;

-- Who owns what d is about: its risk, its scope, the assets of the risk. OFFSET 0, here and
-- below, keeps every look-up one by key: without statistics (a new database, or one that
-- has crashed) the planner joins whole tables instead.
-- fragment: owners_of_subject
LEFT JOIN LATERAL (
	SELECT x.owner_id FROM risk x
	WHERE x.org_id = $1 AND x.id = d.risk_id OFFSET 0) r ON true
LEFT JOIN LATERAL (
	SELECT x.owner_id FROM scope x
	WHERE x.org_id = $1 AND x.id = d.scope_id OFFSET 0) s ON true
LEFT JOIN LATERAL (
	SELECT array_agg(x.owner_id) AS owner_ids
	FROM risk_asset l JOIN asset x ON x.org_id = $1 AND x.id = l.asset_id
	WHERE l.org_id = $1 AND l.risk_id = d.risk_id OFFSET 0) o ON true;

-- The grants in the scope of d of the account w.user_id, and who gave them.
-- fragment: grants_of_account
CROSS JOIN LATERAL (
	SELECT x.* FROM app_user x
	WHERE x.org_id = $1 AND x.id = w.user_id AND x.state = 'ACTIVE' OFFSET 0) u
CROSS JOIN LATERAL (
	SELECT x.* FROM access x
	WHERE x.org_id = $1 AND x.user_id = u.id AND x.scope_id = d.scope_id OFFSET 0) a
LEFT JOIN LATERAL (
	SELECT x.* FROM app_user x
	WHERE x.org_id = $1 AND x.id = a.granted_by OFFSET 0) g ON true;

-- Grants of those who may decide in the scope of d, on its risk; a row for each.
-- fragment: candidates_in_scope
FROM d
{owners_of_subject}
CROSS JOIN LATERAL (
	SELECT DISTINCT b.user_id FROM access b
	WHERE b.org_id = $1 AND b.scope_id = d.scope_id
	  AND 'decision.cast' = ANY (b.permissions) OFFSET 0) w
{grants_of_account}
ORDER BY u.id, a.role_code, a.grant_id
LIMIT 2000;

-- Who holds the role that the open step of the request $2 escalates to.
-- fragment: escalation_of_request
SELECT h.user_id FROM approval_request q
JOIN scope_closure k ON k.org_id = $1 AND k.descendant_id = q.scope_id
JOIN role_grant h ON h.org_id = $1 AND h.role_code = q.escalates_to
     AND h.scope_id = k.ancestor_id AND h.revoked_at IS NULL
WHERE q.org_id = $1 AND q.id = $2 AND q.state = 'PENDING' AND q.escalates_to <> '';

-- Grants at the scope of the request $2 of the users of w, who are late when they are
-- not asked yet: they come last, and what is cut is theirs (BALLOT_GRANTS_MAX).
-- fragment: grants_of_request
FROM (SELECT q.scope_id, q.risk_id FROM approval_request q
      WHERE q.org_id = $1 AND q.id = $2 OFFSET 0) d
{owners_of_subject}
CROSS JOIN w
{grants_of_account}
ORDER BY w.late, u.id, a.role_code, a.grant_id
LIMIT 2001;

-- How fast the person of app_user u decides: votes, and reviews (k) that kept something.
-- fragment: pace_of_person
n.votes,
CASE WHEN w.at IS NOT NULL THEN least(w.at, k.began_at)
     WHEN k.kept >= c.most THEN k.began_at END AS window_began_at
FROM app_user u
CROSS JOIN LATERAL (SELECT coalesce(max(v.ordinal), 0) AS votes FROM approval_vote v
                    WHERE v.org_id = $1 AND v.voter_person = u.person_id) n
CROSS JOIN LATERAL (SELECT count(*) AS kept, min(x.at) AS began_at FROM acceptance_review x
                    WHERE x.org_id = $1 AND x.reviewer_person = u.person_id
                      AND x.at > now() - interval '1 hour') k
CROSS JOIN c
LEFT JOIN approval_vote w ON w.org_id = $1 AND w.voter_person = u.person_id
                         AND w.ordinal = n.votes - c.most + k.kept + 1;

-- Of approval_vote v.
-- fragment: columns_of_vote
v.id, v.request_id, v.step_no, v.voter_id, v.voter_person, v.voter_name, v.decision,
v.comment, v.snapshot_sha256, v.session_id, v.at, v.on_behalf_of, v.on_behalf_person,
v.on_behalf_of_name, v.delegation_id, v.ordinal;

-- Of approval_assignee t.
-- fragment: columns_of_assignee
t.request_id, t.step_no, t.user_id, t.person_id, t.display_name, t.via, t.state, t.escalated;

-- Delegation d, of account f, towards approval_request q.
-- fragment: columns_of_held_delegation
d.id, d.version, d.created_at, d.from_user_id, f.person_id AS from_person,
f.display_name AS from_name, d.to_user_id, d.max_level, d.starts_at, d.ends_at, d.revoked_at,
q.subject_kind = ANY (d.subject_kinds) AS covers_kind,
EXISTS (SELECT 1 FROM scope_closure k WHERE k.org_id = $1 AND k.ancestor_id = d.scope_id
        AND k.descendant_id = q.scope_id) AS covers_scope;

-- Of delegation d, from account f to account t, at the time w.at.
-- fragment: columns_of_delegation
d.id, d.ref, d.version, d.created_at, d.created_by, d.updated_at, d.updated_by, d.archived_at,
d.from_user_id, f.display_name AS from_name, d.to_user_id, t.display_name AS to_name,
d.scope_id, d.subject_kinds, d.max_level, d.starts_at, d.ends_at, d.reason, d.revoked_at,
d.revoke_reason,
CASE WHEN d.revoked_at IS NOT NULL THEN 'REVOKED' WHEN d.ends_at <= w.at THEN 'ENDED'
     WHEN d.starts_at > w.at THEN 'PLANNED' ELSE 'ACTIVE' END AS state;

-- Roles that the person of account $2 holds with any account.
-- fragment: roles_of_person
SELECT r.code, r.title, r.permissions
FROM role r
WHERE r.code IN (
	SELECT g.role_code
	FROM app_user n
	JOIN app_user u ON u.org_id = $1 AND u.person_id = n.person_id AND u.state <> 'DEACTIVATED'
	JOIN role_grant g ON g.org_id = $1 AND g.user_id = u.id AND g.revoked_at IS NULL
	     AND (g.valid_until IS NULL OR g.valid_until > now())
	WHERE n.org_id = $1 AND n.id = $2);

-- What the risks d are, and what is open or in force on them. OFFSET 0 keeps every look-up
-- one by key: without statistics the planner joins whole tables, which takes seconds for
-- hundreds of risks.
-- fragment: from_risk
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM risk_now x WHERE x.org_id = $1 AND x.id = d.risk_id OFFSET 0) r;

-- fragment: from_open_plans
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM treatment_plan x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id
	  AND x.state IN ({open_plan_states}) OFFSET 0) p;

-- fragment: from_open_acceptances
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM risk_acceptance_now x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id
	  AND x.state IN ('SUBMITTED', 'CHANGES_REQUESTED', 'ACTIVE') OFFSET 0) c;

-- fragment: from_open_requests
FROM d CROSS JOIN LATERAL (
	SELECT x.* FROM approval_request x
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id AND x.state = 'PENDING' OFFSET 0) q;

-- What the risk d is about: the AI system that it names and those of its assets; the assets.
-- fragment: from_systems
FROM (SELECT x.ai_system_id FROM d JOIN risk x ON x.org_id = $1 AND x.id = d.risk_id
      UNION
      SELECT y.ai_system_id FROM d JOIN risk_asset x ON x.org_id = $1 AND x.risk_id = d.risk_id
      JOIN asset y ON y.org_id = $1 AND y.id = x.asset_id) n
CROSS JOIN LATERAL (
	SELECT x.* FROM ai_system x WHERE x.org_id = $1 AND x.id = n.ai_system_id OFFSET 0) s
ORDER BY s.id
LIMIT 101;

-- fragment: from_assets
FROM d CROSS JOIN LATERAL (
	SELECT y.* FROM risk_asset x JOIN asset y ON y.org_id = $1 AND y.id = x.asset_id
	WHERE x.org_id = $1 AND x.risk_id = d.risk_id OFFSET 0) t
ORDER BY t.id
LIMIT 100;
