-- Following the outbox; see proto/isms/v1/watch.proto. Rows are read in the order of
-- (tx, seq) below the horizon: the oldest transaction that has not ended in the
-- statement's own snapshot. All below it are visible and no more can come.

-- name: watch_start
-- class: point
-- params: $org $actor $session scope_id
SELECT u.org_id, u.id AS user_id, $3::uuid AS session_id,
       pg_snapshot_xmin(n.now)::text::bigint AS horizon,
       pg_snapshot_xmax(n.now)::text::bigint AS ahead,
       coalesce(l.tx::text::bigint, 0) AS last_tx, coalesce(l.seq, 0) AS last_seq
FROM app_user u
CROSS JOIN (SELECT pg_current_snapshot() AS now) n
LEFT JOIN LATERAL (
	SELECT x.tx, x.seq FROM outbox x
	WHERE x.org_id >= $1 AND x.org_id <= $1 AND x.tx < pg_snapshot_xmin(n.now)
	ORDER BY x.org_id DESC, x.tx DESC, x.seq DESC
	LIMIT 1) l ON true
WHERE u.org_id = $1 AND u.id = $2
  AND ($4::uuid IS NULL
       OR EXISTS (SELECT 1 FROM access a WHERE a.org_id = $1 AND a.user_id = $2
                  AND a.scope_id = $4 AND 'scope.read' = ANY (a.permissions)));

-- name: watch_follow
-- class: point
-- tenantless: one reader follows all organisations; each watcher is given its own alone
-- params: tx seq limit
WITH h AS (SELECT pg_snapshot_xmin(s.now) AS horizon, pg_snapshot_xmax(s.now) AS ahead
           FROM (SELECT pg_current_snapshot() AS now) s)
SELECT h.horizon::text::bigint AS horizon, h.ahead::text::bigint AS ahead,
       {columns_of_event}
FROM h
LEFT JOIN LATERAL (
	SELECT * FROM outbox x
	WHERE (x.tx, x.seq) > ($1::bigint::text::xid8, $2::bigint) AND x.tx < h.horizon
	ORDER BY x.tx, x.seq
	LIMIT $3) o ON true
LEFT JOIN LATERAL (
	SELECT a.actor_id, a.actor_name FROM audit_event a
	WHERE a.org_id = o.org_id AND a.id = o.audit_event_id
	LIMIT 1) e ON true
ORDER BY o.tx, o.seq;

-- What a watcher has missed. That the organisation is $1 is said as a range, for only
-- the index that begins with it gives rows in this order: the one over all would have
-- to read past what others wrote.
-- name: watch_missed
-- class: list
-- params: $org tx seq limit
WITH h AS (SELECT pg_snapshot_xmin(s.now) AS horizon, pg_snapshot_xmax(s.now) AS ahead
           FROM (SELECT pg_current_snapshot() AS now) s)
SELECT h.horizon::text::bigint AS horizon, h.ahead::text::bigint AS ahead,
       {columns_of_event}
FROM h
LEFT JOIN LATERAL (
	SELECT * FROM outbox x
	WHERE (x.org_id, x.tx, x.seq) > ($1, $2::bigint::text::xid8, $3::bigint)
	  AND x.org_id <= $1 AND x.tx < h.horizon
	ORDER BY x.org_id, x.tx, x.seq
	LIMIT $4) o ON true
LEFT JOIN LATERAL (
	SELECT a.actor_id, a.actor_name FROM audit_event a
	WHERE a.org_id = $1 AND a.id = o.audit_event_id
	LIMIT 1) e ON true
ORDER BY o.tx, o.seq;

-- Who keeps the horizon at a transaction: a session, of any database, or one that was
-- prepared and left.
-- name: watch_holder
-- class: point
-- tenantless: it is about the whole cluster
-- params: tx
SELECT format('session %s of %s in %s, application %s', a.pid, a.usename, a.datname,
              a.application_name) AS holder
FROM pg_stat_activity a
WHERE a.backend_xid = $1::bigint::text::xid8::xid
UNION ALL
SELECT format('prepared transaction %s of %s in %s', p.gid, p.owner, p.database)
FROM pg_prepared_xacts p
WHERE p.transaction = $1::bigint::text::xid8::xid
LIMIT 1;

-- A row for each grant in force of the accounts of those sessions that are valid as
-- principal_by_token says; one grant more than may be tells that there are too many.
-- name: watch_sessions
-- class: point
-- tenantless: the sessions of the watchers say which organisations
-- params: org_ids session_ids
SELECT s.id AS session_id, g.scope_id, g.permissions
FROM unnest($1::uuid[], $2::uuid[]) AS w (org_id, session_id)
JOIN session s ON s.org_id = w.org_id AND s.id = w.session_id
JOIN app_user u ON u.org_id = s.org_id AND u.id = s.user_id
LEFT JOIN LATERAL (
	SELECT a.scope_id, a.permissions
	FROM role_grant r
	JOIN access a ON a.org_id = r.org_id AND a.grant_id = r.id AND a.scope_id = r.scope_id
	             AND a.user_id = r.user_id
	WHERE r.org_id = s.org_id AND r.user_id = s.user_id AND r.revoked_at IS NULL
	LIMIT 513) g ON true
WHERE s.revoked_at IS NULL
  AND s.expires_at > now()
  AND u.state = 'ACTIVE'
  AND (u.kind = 'SERVICE' OR s.last_seen_at > now() - interval '30 minutes');
