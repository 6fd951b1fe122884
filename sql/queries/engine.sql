-- Statements of the engine itself: who is calling, what every write leaves
-- behind, and the details of a conflict.

-- name: clock
-- class: point
-- tenantless: reads no table
-- params:
SELECT now() AS now;

-- name: server_secret
-- class: point
-- tenantless: one row for the whole server
-- params:
SELECT secret FROM server_secret;

-- The session's idle limit is part of its validity; tokens of services have
-- none.
-- name: principal_by_token
-- class: point
-- tenantless: the token says which organisation
-- params: $token_sha256
SELECT s.org_id,
       o.code AS org_code,
       u.id AS user_id,
       u.version AS user_version,
       u.person_id,
       CASE u.kind WHEN 'HUMAN' THEN ARRAY[u.person_id] ELSE u.owner_person_ids END AS person_ids,
       u.kind,
       u.display_name,
       s.id AS session_id,
       s.last_seen_at,
       s.expires_at,
       now() AS now
FROM session s
JOIN app_user u ON u.org_id = s.org_id AND u.id = s.user_id
JOIN organisation o ON o.org_id = s.org_id
WHERE s.token_sha256 = $1
  AND s.revoked_at IS NULL
  AND s.expires_at > now()
  AND u.state = 'ACTIVE'
  AND (u.kind = 'SERVICE' OR s.last_seen_at > now() - interval '30 minutes');

-- The version stays: nothing is decided by last_seen_at. It is when the session was used,
-- and not when there was time to write it down.
-- name: session_touch
-- class: commit
-- params: $org $session now
UPDATE session SET last_seen_at = $3::timestamptz
WHERE org_id = $1 AND id = $2 AND last_seen_at < $3::timestamptz - interval '1 minute';

-- name: session_guard_valid
-- class: commit
-- params: $org $session
SELECT must_one(count(*)) FROM (
	SELECT 1 FROM session
	WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > now()
	FOR SHARE) AS held;

-- name: idempotency_get
-- class: point
-- params: $org $actor $request_id
SELECT rpc, body_sha256, response
FROM idempotency
WHERE org_id = $1 AND actor_id = $2 AND request_id = $3;

-- name: idempotency_put
-- class: commit
-- params: $org $actor $request_id rpc body_sha256 response
INSERT INTO idempotency (org_id, actor_id, request_id, rpc, body_sha256, response)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: audit_event_put
-- class: commit
-- params: $org id at actor_id actor_name entity_kind entity_id entity_version changed_fields event
INSERT INTO audit_event (org_id, id, at, actor_id, actor_name, entity_kind, entity_id,
                         entity_version, changed_fields, event)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::text[], '{}'), $10);

-- All announcements of a call with one statement; seq follows their order.
-- name: outbox_put
-- class: commit
-- params: $org topic audit_event_id entity_kinds entity_ids entity_versions scope_ids
-- params: entity_refs
INSERT INTO outbox (org_id, id, topic, entity_kind, entity_id, entity_version, scope_id,
                    entity_ref, audit_event_id)
SELECT $1, uuid_v7(now()), $2, n.kind, n.entity_id, n.version, nullif(n.scope_id, '')::uuid,
       n.ref, $3
FROM unnest($4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::text[])
	WITH ORDINALITY AS n (kind, entity_id, version, scope_id, ref, place)
ORDER BY n.place;

-- name: conflict_changes
-- class: point
-- params: $org $kind $id $version
SELECT entity_version AS version, actor_name, changed_fields AS fields
FROM audit_event
WHERE org_id = $1 AND entity_kind = $2 AND entity_id = $3 AND entity_version > $4
ORDER BY entity_version DESC
LIMIT 20;

-- name: permission_held
-- class: point
-- params: $org $actor $permission
SELECT may_somewhere($1, $2, $3) AS held;
