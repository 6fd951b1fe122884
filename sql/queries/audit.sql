-- The audit log; for the whole organisation, so the permission counts at the
-- root.

-- name: audit_event_list
-- class: list
-- params: $org $actor $permission $page_after $page_limit entity_id actor_id
SELECT e.id AS page_key, e.event
FROM audit_event e
WHERE e.org_id = $1
  AND EXISTS (SELECT 1 FROM access a
              JOIN scope r ON r.org_id = a.org_id AND r.id = a.scope_id AND r.parent_id IS NULL
              WHERE a.org_id = $1 AND a.user_id = $2 AND $3 = ANY (a.permissions))
  AND e.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  AND ($6::uuid IS NULL OR e.entity_id = $6)
  AND ($7::uuid IS NULL OR e.actor_id = $7)
ORDER BY e.id DESC
LIMIT $5;
