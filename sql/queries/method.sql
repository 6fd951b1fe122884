-- Risk methods: the organisation's criteria.

-- name: method_active
-- class: point
-- params: $org $actor $permission
SELECT m.id, m.version, m.created_at, m.created_by, m.updated_at, m.updated_by,
       m.archived_at, m.no, m.title, m.active, m.criteria
FROM risk_method m
WHERE m.org_id = $1 AND m.active AND may_somewhere($1, $2, $3);

-- name: method_for_write
-- class: point
-- kind: risk_method
-- params: $org
SELECT m.id, m.version, m.created_at, m.created_by, m.updated_at, m.updated_by,
       m.archived_at, m.no, m.title, m.active, m.criteria
FROM risk_method m
WHERE m.org_id = $1 AND m.active;
