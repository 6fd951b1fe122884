-- The role that the server works as, run by the owner after every migration; may
-- be run again at any time. It owns nothing, deletes nothing, and changes no
-- append-only table. Migrations that add tables add their lines here.

DO $$
BEGIN
	IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'isms_server') THEN
		CREATE ROLE isms_server LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT
			NOREPLICATION NOBYPASSRLS;
	END IF;
EXCEPTION WHEN duplicate_object THEN
	NULL; -- made by another one at the same time
END $$;
DO $$
BEGIN
	EXECUTE format('ALTER ROLE isms_server IN DATABASE %I SET search_path TO isms',
	               current_database());
END $$;

-- Trigger functions run as the owner, and whoever may call one may hang it on a table
-- of their own: the server makes no tables and calls only what its statements name.
DO $$
BEGIN
	EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC, isms_server',
	               current_database());
END $$;
REVOKE ALL ON ALL ROUTINES IN SCHEMA isms FROM PUBLIC, isms_server;
REVOKE ALL ON SCHEMA isms FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA isms FROM PUBLIC, isms_server;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA isms FROM PUBLIC, isms_server;
GRANT USAGE ON SCHEMA isms TO isms_server;
GRANT SELECT ON ALL TABLES IN SCHEMA isms TO isms_server;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA isms TO isms_server;
GRANT EXECUTE ON FUNCTION isms.must_one, isms.human_ref, isms.uuid_v7, isms.access_at,
	isms.may_somewhere TO isms_server;

-- Only read: organisation, role, scope_closure, catalogue and server secret. The
-- right to update one column is what SELECT … FOR SHARE asks for.
GRANT UPDATE (version) ON isms.organisation TO isms_server;
GRANT UPDATE (version) ON isms.control TO isms_server;

-- Governed rows.
GRANT INSERT, UPDATE ON isms.person TO isms_server;
GRANT INSERT, UPDATE ON isms.app_user TO isms_server;
GRANT INSERT, UPDATE ON isms.session TO isms_server;
GRANT INSERT, UPDATE ON isms.invitation TO isms_server;
GRANT INSERT, UPDATE ON isms.role_grant TO isms_server;
GRANT INSERT, UPDATE ON isms.scope TO isms_server;
GRANT INSERT, UPDATE ON isms.ai_system TO isms_server;
GRANT INSERT, UPDATE ON isms.asset TO isms_server;

-- Append-only.
GRANT INSERT ON isms.idempotency TO isms_server;
GRANT INSERT ON isms.audit_event TO isms_server;
GRANT INSERT ON isms.outbox TO isms_server;

-- 0003: risks and decisions. Link tables are written by triggers alone.
GRANT UPDATE (version) ON isms.risk_method TO isms_server;
GRANT UPDATE (version) ON isms.approval_policy TO isms_server;
GRANT INSERT, UPDATE ON isms.risk TO isms_server;
GRANT INSERT, UPDATE ON isms.treatment_plan TO isms_server;
GRANT INSERT, UPDATE ON isms.risk_acceptance TO isms_server;
GRANT INSERT, UPDATE ON isms.approval_request TO isms_server;
GRANT INSERT, UPDATE (state) ON isms.approval_assignee TO isms_server;
GRANT INSERT ON isms.risk_score TO isms_server;
GRANT INSERT ON isms.approval_snapshot TO isms_server;
GRANT INSERT ON isms.approval_vote TO isms_server;

-- 0005: policies, delegation. History is written by triggers alone.
GRANT EXECUTE ON FUNCTION isms.purge_idempotency, isms.version_key, isms.key_version,
	isms.row_at, isms.risk_was, isms.risk_acceptance_was TO isms_server;
GRANT INSERT, UPDATE ON isms.approval_policy TO isms_server;
GRANT UPDATE (version, updated_at, updated_by, archived_at, state) ON isms.control TO isms_server;
GRANT INSERT, UPDATE ON isms.delegation TO isms_server;
GRANT INSERT ON isms.acceptance_review TO isms_server;
