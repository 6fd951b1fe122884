#include "common/arena.h"
#include "common/embed.h"
#include "server/db/query.h"
#include "tap.h"

static const char *const kinds[] = { "risk", "scope", NULL };
static const char *const tables[] = { "risk", "scope", NULL };

static struct query_set *parse(const char *text, const char **why)
{
	struct embedded_file file = { "test.sql", (const uint8_t *)text,
				      (const uint8_t *)text + strlen(text) };
	return query_set_new_from(&file, 1, kinds, why);
}

/* NULL when it parses, else the complaint. */
static const char *fault(const char *text)
{
	const char *why = NULL;
	struct query_set *set = parse(text, &why);
	query_set_free(set);
	return set == NULL ? why : NULL;
}

#define GET "-- name: risk_get\n-- class: point\n-- kind: risk\n-- params: $org id\n"

TEST(a_statement_has_name_class_kind_and_parameters)
{
	const char *why = NULL;
	struct query_set *set =
		parse("-- a file about risks; really;\n\n" GET "-- a comment of the header\n"
		      "SELECT id -- not; this\nFROM risk\n-- nor this;\n"
		      "WHERE org_id = $1 AND id = $2;\n",
		      &why);
	if (!CHECK(set != NULL))
		return;
	const struct query *query = query_find(set, "risk_get");
	CHECK(query != NULL && query_find(set, "risk") == NULL);
	CHECK_INT(query->class, QUERY_POINT);
	CHECK_STR(query->kind, "risk");
	CHECK_INT(query->n_params, 2);
	CHECK_INT(query->params[0].special, QUERY_ORG);
	CHECK_INT(query->params[1].special, QUERY_FIELD);
	CHECK_STR(query->params[1].name, "id");
	CHECK_STR(query->sql, "SELECT id -- not; this\nFROM risk\n-- nor this;\n"
			      "WHERE org_id = $1 AND id = $2");
	query_set_free(set);
}

TEST(a_fragment_stands_in_for_its_text)
{
	const char *why = NULL;
	struct query_set *set = parse("-- fragment: columns\nr.id,\nr.title;\n\n" GET
				      "SELECT {columns}, '{}' FROM risk r "
				      "WHERE (SELECT {columns}) IS NULL;\n"
				      "-- fragment: later\n1;\n",
				      &why);
	if (!CHECK(set != NULL))
		return;
	CHECK_STR(query_find(set, "risk_get")->sql,
		  "SELECT r.id,\nr.title, '{}' FROM risk r WHERE (SELECT r.id,\nr.title) IS NULL");
	CHECK(query_find(set, "columns") == NULL);
	query_set_free(set);
	CHECK(fault(GET "SELECT {nothing} FROM risk;\n") != NULL);
	CHECK(fault("-- fragment: a\n1;\n-- fragment: a\n2;\n") != NULL);
	CHECK(fault("-- fragment: a\n1\n") != NULL);
}

TEST(a_fragment_names_those_before_it)
{
	const char *why = NULL;
	struct query_set *set =
		parse("-- fragment: id\nr.id;\n-- fragment: columns\n{id}, r.title;\n" GET
		      "SELECT {columns} FROM risk r;\n",
		      &why);
	if (!CHECK(set != NULL))
		return;
	CHECK_STR(query_find(set, "risk_get")->sql, "SELECT r.id, r.title FROM risk r");
	query_set_free(set);
	CHECK(fault("-- fragment: a\n{b};\n-- fragment: b\n1;\n") != NULL);
	CHECK(fault("-- fragment: a\n1, {a};\n") != NULL);
}

TEST(each_versioned_kind_has_a_guard)
{
	const char *why = NULL;
	struct query_set *set = parse("", &why);
	if (!CHECK(set != NULL))
		return;
	CHECK_INT(query_count(set), 2);
	const struct query *guard = query_find(set, "risk_guard");
	CHECK(guard != NULL && guard->class == QUERY_COMMIT);
	CHECK_STR(guard->sql, "SELECT must_one(count(*)) FROM (SELECT 1 FROM risk WHERE "
			      "org_id = $1 AND id = $2 AND version = $3 FOR SHARE) g");
	CHECK_INT(guard->n_params, 3);
	CHECK_INT(guard->params[2].special, QUERY_VERSION);
	query_set_free(set);
}

TEST(updates_of_kinds_must_hit_one_row)
{
	const char *why = NULL;
	struct query_set *set =
		parse("-- name: risk_update\n-- class: commit\n-- params: $org id\n"
		      "UPDATE risk SET title = ''\nWHERE org_id = $1 AND id = $2;\n"
		      "-- name: other_update\n-- class: commit\n-- params: $org\n"
		      "UPDATE other SET a = 1 WHERE org_id = $1;\n"
		      "-- name: scope_update\n-- class: commit\n-- params: $org\n"
		      "WITH w AS (UPDATE scope SET a = 1 WHERE org_id = $1 RETURNING 1)\n"
		      "SELECT must_one(count(*)) FROM w;\n",
		      &why);
	if (!CHECK(set != NULL))
		return;
	CHECK_STR(query_find(set, "risk_update")->sql,
		  "WITH w AS (\nUPDATE risk SET title = ''\nWHERE org_id = $1 AND id = $2\n"
		  "RETURNING 1) SELECT must_one(count(*)) FROM w");
	CHECK_STR(query_find(set, "other_update")->sql, "UPDATE other SET a = 1 WHERE org_id = $1");
	CHECK(strncmp(query_find(set, "scope_update")->sql, "WITH w AS (UPDATE", 17) == 0);
	query_set_free(set);
}

TEST(malformed_files_are_refused_by_name)
{
	CHECK_STR(fault("SELECT 1;\n"), "test.sql: no statement: text outside of a statement");
	CHECK_STR(fault("-- name: a\nSELECT 1;\n"), "test.sql: a: the header has no class");
	CHECK_STR(fault("-- name: a\n-- class: fast\nSELECT 1;\n"),
		  "test.sql: a: the class is point, list or commit");
	CHECK_STR(fault("-- name: a\n-- clas: point\nSELECT 1;\n"),
		  "test.sql: a: unknown word in the header");
	CHECK_STR(fault("-- name: a\n-- class: point\n-- kind: thing\nSELECT 1;\n"),
		  "test.sql: a: the kind is not a versioned kind");
	CHECK_STR(fault("-- name: a\n-- class: point\n-- params: $user\nSELECT 1;\n"),
		  "test.sql: a: unknown special parameter");
	CHECK_STR(fault("-- name: a\n-- class: point\n-- params: id id\nSELECT 1;\n"),
		  "test.sql: a: a parameter is named twice");
	CHECK_STR(fault("-- name: a\n-- class: point\nSELECT 1\n"),
		  "test.sql: a: the last statement has no end");
	CHECK_STR(fault("-- name: a\n-- class: point\nSELECT 1\n-- name: b\n"),
		  "test.sql: a: the statement has no ; at the end of a line");
	CHECK_STR(fault("-- name: a\n-- class: point\n-- name: b\n"),
		  "test.sql: a: the statement before the next name has no end");
	CHECK_STR(fault("-- name: a\n-- class: point\n-- tenantless:\nSELECT 1;\n"),
		  "test.sql: a: tenantless needs a reason");
	CHECK_STR(fault("-- name: a\n-- class: point\nSELECT 1;\n"
			"-- name: a\n-- class: point\nSELECT 1;\n"),
		  "queries: a: the name is used twice");
	CHECK(fault("-- name: a\n-- class: point\nSELECT 1;\n") == NULL);
}

/* What the lint says of one statement; "" when it passes. */
static const char *lint(const char *header, const char *sql)
{
	static char message[256];
	char text[1024];
	const char *why = NULL;
	snprintf(text, sizeof(text), "-- name: a\n-- class: point\n%s%s\n", header, sql);
	struct query_set *set = parse(text, &why);
	struct arena *arena = arena_new(100000);
	if (!CHECK(set != NULL))
		return "unparsed";
	struct status st = query_set_lint(set, tables, arena);
	snprintf(message, sizeof(message), "%s", status_ok(&st) ? "" : st.message);
	arena_free(arena);
	query_set_free(set);
	return message;
}

#define ORG "-- params: id $org\n"

TEST(statements_are_bound_to_their_organisation)
{
	const char *no_org = "statement a has no parameter $org";
	const char *no_bind = "statement a does not bind org_id to $org";
	const char *too_few = "statement a names a table without its org_id";
	CHECK_STR(lint("-- params: id\n", "SELECT 1 FROM risk WHERE id = $1;"), no_org);
	CHECK_STR(
		lint("-- tenantless: login\n-- params: id\n", "SELECT 1 FROM risk WHERE id = $1;"),
		"");
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk WHERE org_id = $2 AND id = $1;"), "");
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk WHERE $2 = org_id AND id = $1;"), "");
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk WHERE org_id = $1 AND id = $2;"), no_bind);
	CHECK_STR(lint(ORG, "SELECT org_id FROM risk WHERE id = $1 -- org_id = $2\n;"), no_bind);
	CHECK_STR(lint(ORG, "SELECT org_id FROM risk WHERE id = $1 AND 'org_id = $2' <> '';"),
		  no_bind);
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk r JOIN scope s ON s.id = r.scope_id "
			    "WHERE r.org_id = $2 AND r.id = $1;"),
		  too_few);
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk r, scope s WHERE r.org_id = $2 AND r.id = $1;"),
		  too_few);
	CHECK_STR(lint(ORG, "SELECT 1 FROM risk r JOIN isms.scope s USING (org_id, id) "
			    "WHERE r.org_id = $2 AND r.id = $1;"),
		  "");
	CHECK_STR(lint(ORG, "INSERT INTO risk (org_id, id) VALUES ($2, $1);"), "");
	CHECK_STR(lint(ORG, "INSERT INTO risk (id) VALUES ($1);"), too_few);
	CHECK_STR(lint(ORG, "UPDATE risk SET org_id = org_id WHERE id = $1;"), no_bind);
	CHECK_STR(lint(ORG, "SELECT $1, $2;"), "");
}

TAP_MAIN
