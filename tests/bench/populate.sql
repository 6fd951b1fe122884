-- Bulk data for the benchmark: copies of rows that the server itself has written.
--
-- A template is a set of rows; a copy of it is the same rows with its names swapped:
-- ids, refs and titles, wherever they stand, also inside of stored messages (all
-- names keep their length). Foreign keys and link triggers are not run
-- (session_replication_role), so a template's rows are copied from all its tables.
-- After a run of writes the copies that were decided on are put back.

CREATE SCHEMA bench;

-- What is swapped in the copies of a template. Of kind: three hexadecimal digits
-- make an id, an upper-case word a ref; title, email and token (the digest of one)
-- say what they are. by_owner: the new name follows from the number of the copy's
-- owner, not of the copy.
CREATE TABLE bench.swap (
	template text NOT NULL,
	old text NOT NULL,
	kind text NOT NULL,
	by_owner boolean NOT NULL
);

CREATE FUNCTION bench.id(kind text, n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT '018f0000-0000-7' || kind || '-8000-' || (100000000000 + n)
$$;

-- The access token of an owner; as long as those that logins give.
CREATE FUNCTION bench.token(n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT 'ismsA_' || left(encode(sha256(convert_to('owner ' || n, 'UTF8')), 'hex'), 49)
$$;

CREATE FUNCTION bench.name(kind text, n bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
	       WHEN kind = 'title' THEN 'risk ' || lpad(n::text, 10, '0')
	       WHEN kind = 'email' THEN 'owner.' || n || '@example.org'
	       WHEN kind = 'token' THEN encode(sha256(convert_to(bench.token(n), 'UTF8')), 'hex')
	       WHEN kind ~ '^[A-Z]' THEN kind || '-' || (500000 + n)
	       ELSE bench.id(kind, n) END
$$;

-- The columns of a table that are written.
CREATE FUNCTION bench.columns(tab regclass) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
	FROM pg_attribute
	WHERE attrelid = tab AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
	      AND attidentity = ''
$$;

-- Copies first … last of the rows of a table where a column has a value.
CREATE FUNCTION bench.copy(template text, tab regclass, key text, value text, first int, last int,
                           owners int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	swap record;
	rows text;
	old text;
	name text;
	expression text := 's.j';
BEGIN
	EXECUTE format('SELECT string_agg(to_jsonb(t)::text, '''') FROM %s t WHERE t.%I = %L',
	               tab, key, value) INTO rows;
	FOR swap IN SELECT * FROM bench.swap w WHERE w.template = copy.template LOOP
		name := format('bench.name(%L, %s)', swap.kind,
		               CASE WHEN swap.by_owner THEN format('n %% %s', owners) ELSE 'n' END);
		old := encode(convert_to(swap.old, 'UTF8'), 'hex');
		IF strpos(rows, swap.old) > 0 THEN
			expression := format('replace(%s, %L, %s)', expression, swap.old, name);
		END IF;
		IF strpos(rows, old) > 0 THEN
			expression := format('replace(%s, %L, encode(convert_to(%s, ''UTF8''), ''hex''))',
			                     expression, old, name);
		END IF;
	END LOOP;
	EXECUTE format(
		'INSERT INTO %1$s (%2$s) SELECT %2$s'
		' FROM (SELECT to_jsonb(t)::text AS j FROM %1$s t WHERE t.%3$I = %4$L) s'
		' CROSS JOIN generate_series(%5$s, %6$s) n'
		' CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, (%7$s)::jsonb) c',
		tab, bench.columns(tab), key, value, first, last, expression);
END $$;

-- Accounts who own the copies' risks, each with a session that ends late.
CREATE FUNCTION bench.copy_owners(person text, account text, session text, owners int)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bench.copy('owner', 'isms.person', 'id', person, 0, owners - 1, owners);
	PERFORM bench.copy('owner', 'isms.app_user', 'id', account, 0, owners - 1, owners);
	PERFORM bench.copy('owner', 'isms.session', 'id', session, 0, owners - 1, owners);
	PERFORM bench.copy('owner', 'isms.role_grant', 'user_id', account, 0, owners - 1, owners);
END $$;

CREATE FUNCTION bench.copy_risks(template text, risk text, first int, last int, owners int)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bench.copy(template, 'isms.risk', 'id', risk, first, last, owners);
	PERFORM bench.copy(template, 'isms.risk_asset', 'risk_id', risk, first, last, owners);
	PERFORM bench.copy(template, 'isms.risk_threat', 'risk_id', risk, first, last, owners);
	PERFORM bench.copy(template, 'isms.risk_vulnerability', 'risk_id', risk, first, last, owners);
	PERFORM bench.copy(template, 'isms.risk_score', 'risk_id', risk, first, last, owners);
END $$;

-- Risks with an acceptance that waits for its owner's vote.
CREATE FUNCTION bench.copy_waiting(risk text, plan text, acceptance text, request text, first int,
                                   last int, owners int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bench.copy_risks('waiting', risk, first, last, owners);
	PERFORM bench.copy('waiting', 'isms.treatment_plan', 'id', plan, first, last, owners);
	PERFORM bench.copy('waiting', 'isms.treatment_plan_control', 'plan_id', plan, first, last,
	                   owners);
	PERFORM bench.copy('waiting', 'isms.treatment_plan_assignee', 'plan_id', plan, first, last,
	                   owners);
	PERFORM bench.copy('waiting', 'isms.risk_acceptance', 'id', acceptance, first, last, owners);
	PERFORM bench.copy('waiting', 'isms.risk_acceptance_control', 'acceptance_id', acceptance,
	                   first, last, owners);
	PERFORM bench.copy('waiting', 'isms.approval_request', 'id', request, first, last, owners);
	PERFORM bench.copy('waiting', 'isms.approval_snapshot', 'request_id', request, first, last,
	                   owners);
	PERFORM bench.copy('waiting', 'isms.approval_assignee', 'request_id', request, first, last,
	                   owners);
	UPDATE isms.approval_request q
	SET snapshot_sha256 = sha256(convert_to('isms/decision/v1', 'UTF8') || '\x00' || s.snapshot)
	FROM isms.approval_snapshot s
	WHERE s.org_id = q.org_id AND s.request_id = q.id
	  AND q.id BETWEEN bench.id('004', first)::uuid AND bench.id('004', last)::uuid;
END $$;

-- --- putting decided copies back ---------------------------------------------

CREATE TABLE bench.saved_risk (LIKE isms.risk);
CREATE TABLE bench.saved_treatment_plan (LIKE isms.treatment_plan);
CREATE TABLE bench.saved_risk_acceptance (LIKE isms.risk_acceptance);
CREATE TABLE bench.saved_approval_request (LIKE isms.approval_request);
CREATE TABLE bench.saved_approval_assignee (LIKE isms.approval_assignee);
CREATE TABLE bench.mark (audit bigint NOT NULL, outbox bigint NOT NULL, at timestamptz NOT NULL,
                         tx xid8 NOT NULL);

CREATE FUNCTION bench.save(first int, last int) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO bench.saved_risk SELECT * FROM isms.risk
		WHERE id BETWEEN bench.id('001', first)::uuid AND bench.id('001', last)::uuid;
	INSERT INTO bench.saved_treatment_plan SELECT * FROM isms.treatment_plan
		WHERE id BETWEEN bench.id('002', first)::uuid AND bench.id('002', last)::uuid;
	INSERT INTO bench.saved_risk_acceptance SELECT * FROM isms.risk_acceptance
		WHERE id BETWEEN bench.id('003', first)::uuid AND bench.id('003', last)::uuid;
	INSERT INTO bench.saved_approval_request SELECT * FROM isms.approval_request
		WHERE id BETWEEN bench.id('004', first)::uuid AND bench.id('004', last)::uuid;
	INSERT INTO bench.saved_approval_assignee SELECT * FROM isms.approval_assignee
		WHERE request_id BETWEEN bench.id('004', first)::uuid AND bench.id('004', last)::uuid;
$$;

-- What is written from now on is undone.
CREATE FUNCTION bench.begin() RETURNS void
LANGUAGE sql AS $$
	DELETE FROM bench.mark;
	INSERT INTO bench.mark
	SELECT coalesce((SELECT max(seq) FROM isms.audit_event), 0),
	       coalesce((SELECT max(seq) FROM isms.outbox), 0), now(), pg_current_xact_id();
$$;

CREATE FUNCTION bench.put_back(name text, keys text, changed text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	columns text := bench.columns(('isms.' || name)::regclass);
BEGIN
	EXECUTE format(
		'UPDATE isms.%1$I t SET (%2$s) = (SELECT %2$s FROM (SELECT s.*) one)'
		' FROM bench.saved_%1$s s WHERE (%3$s) AND t.%4$I IS DISTINCT FROM s.%4$I',
		name, columns,
		(SELECT string_agg(format('t.%1$I = s.%1$I', k), ' AND ')
		 FROM unnest(string_to_array(keys, ' ')) AS k), changed);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- How many requests had been decided on.
CREATE FUNCTION bench.reset() RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bench.put_back('risk', 'org_id id', 'version');
	PERFORM bench.put_back('treatment_plan', 'org_id id', 'version');
	PERFORM bench.put_back('risk_acceptance', 'org_id id', 'version');
	PERFORM bench.put_back('approval_assignee', 'org_id request_id step_no user_id', 'state');
	DELETE FROM isms.approval_vote v USING bench.saved_approval_request s
		WHERE v.org_id = s.org_id AND v.request_id = s.id;
	DELETE FROM isms.outbox WHERE seq > (SELECT outbox FROM bench.mark);
	DELETE FROM isms.audit_event WHERE seq > (SELECT audit FROM bench.mark);
	DELETE FROM isms.row_history WHERE tx > (SELECT tx FROM bench.mark);
	DELETE FROM isms.idempotency WHERE created_at > (SELECT at FROM bench.mark);
	RETURN bench.put_back('approval_request', 'org_id id', 'version');
END $$;

-- What the decisions since then have left.
CREATE FUNCTION bench.decisions()
RETURNS TABLE (requests bigint, risks bigint, plans bigint, acceptances bigint, votes bigint,
               events bigint, announcements bigint, versions bigint, keys bigint)
LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM isms.approval_request t
	        JOIN bench.saved_approval_request s USING (org_id, id)
	        WHERE t.state = 'APPROVED' AND t.version = s.version + 1),
	       (SELECT count(*) FROM isms.risk t JOIN bench.saved_risk s USING (org_id, id)
	        WHERE t.version = s.version + 1),
	       (SELECT count(*) FROM isms.treatment_plan t
	        JOIN bench.saved_treatment_plan s USING (org_id, id)
	        WHERE t.version = s.version + 1),
	       (SELECT count(*) FROM isms.risk_acceptance t
	        JOIN bench.saved_risk_acceptance s USING (org_id, id)
	        WHERE t.state = 'ACTIVE' AND t.version = s.version + 1),
	       (SELECT count(*) FROM isms.approval_vote v
	        JOIN bench.saved_approval_request s ON s.org_id = v.org_id AND s.id = v.request_id),
	       (SELECT count(*) FROM isms.audit_event WHERE seq > (SELECT audit FROM bench.mark)),
	       -- of the risk, the plan, the acceptance and the request
	       (SELECT count(*) / 4 FROM isms.outbox WHERE seq > (SELECT outbox FROM bench.mark)),
	       (SELECT count(*) / 4 FROM isms.row_history WHERE tx > (SELECT tx FROM bench.mark)),
	       (SELECT count(*) FROM isms.idempotency
	        WHERE created_at > (SELECT at FROM bench.mark))
$$;
