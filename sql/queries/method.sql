-- Risk methods: the organisation's criteria.

-- name: method_active
-- class: point
-- params: $org $actor $permission
SELECT {columns_of_method}
FROM risk_method m
WHERE m.org_id = $1 AND m.active AND may_somewhere($1, $2, $3);

-- name: method_for_write
-- class: point
-- kind: risk_method
-- params: $org
SELECT {columns_of_method}
FROM risk_method m
WHERE m.org_id = $1 AND m.active;
