/* The registry of named statements: parsed once at start-up from the embedded
 * files, sorted by name. Everything lives in an arena of the set, which is not
 * changed after the description. */
#include "server/db/query.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/embed.h"
#include "server/db/fragment.h"
#include "server/db/query_text.h"
#include "server/db/seeded_sql.h"

enum { QUERIES_MAX = 2000, SET_BYTES_MAX = 16 * 1024 * 1024 };

struct query_set {
	struct arena *arena;
	struct query *queries;
	size_t n;
};

struct parser {
	struct query_set *set;
	const char *const *kinds;
	const char *file;
	struct query *query; /* being read, or NULL between statements */
	struct query piece;  /* what query is when a fragment is being read */
	struct fragments fragments;
	const char *sql; /* first byte of its text, or NULL in the header */
	bool has_class;
	const char *fault;
};

/* Of the last failed parse; a program starts only once. */
static char fault_text[256];

static const struct {
	const char *name;
	enum query_special special;
} specials[] = {
	{ "$org", QUERY_ORG },
	{ "$actor", QUERY_ACTOR },
	{ "$session", QUERY_SESSION },
	{ "$permission", QUERY_PERMISSION },
	{ "$token_sha256", QUERY_TOKEN_SHA256 },
	{ "$secret_sha256", QUERY_SECRET_SHA256 },
	{ "$email", QUERY_EMAIL },
	{ "$request_id", QUERY_REQUEST_ID },
	{ "$page_after", QUERY_PAGE_AFTER },
	{ "$page_limit", QUERY_PAGE_LIMIT },
	{ "$decisions", QUERY_DECISIONS },
	{ "$id", QUERY_ID },
	{ "$version", QUERY_VERSION },
	{ "$kind", QUERY_KIND },
};

static bool fail(struct parser *parser, const char *what)
{
	snprintf(fault_text, sizeof(fault_text), "%s: %s: %s", parser->file,
		 parser->query == NULL || parser->query->name == NULL ? "no statement"
								      : parser->query->name,
		 what);
	parser->fault = fault_text;
	return false;
}

static bool known_kind(const char *const *kinds, const char *name, size_t len)
{
	for (; kinds != NULL && *kinds != NULL; kinds++)
		if (strlen(*kinds) == len && memcmp(*kinds, name, len) == 0)
			return true;
	return false;
}

static bool add_param(struct parser *parser, struct text word)
{
	struct query *query = parser->query;
	if (query->n_params == QUERY_PARAMS_MAX)
		return fail(parser, "too many parameters");
	struct query_param *param = &query->params[query->n_params];
	param->name = arena_strndup(parser->set->arena, word.at, word.len);
	if (param->name == NULL)
		return fail(parser, "out of memory");
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (strcmp(specials[i].name, param->name) == 0)
			param->special = specials[i].special;
	if (*param->name == '$' && param->special == QUERY_FIELD)
		return fail(parser, "unknown special parameter");
	for (size_t i = 0; i < query->n_params; i++)
		if (strcmp(query->params[i].name, param->name) == 0)
			return fail(parser, "a parameter is named twice");
	query->n_params++;
	return true;
}

static bool head_open(struct parser *parser, struct query *query, struct text value)
{
	if (parser->query != NULL)
		return fail(parser, "the statement before the next name has no end");
	if (value.len == 0 || value.len > 62)
		return fail(parser, "a name has 1 to 62 characters");
	parser->query = query;
	*query = (struct query){ .name = arena_strndup(parser->set->arena, value.at, value.len) };
	parser->sql = NULL;
	parser->has_class = false;
	return parser->query->name != NULL || fail(parser, "out of memory");
}

static bool head_name(struct parser *parser, struct text value)
{
	assert(parser->set->n < QUERIES_MAX);
	return head_open(parser, &parser->set->queries[parser->set->n], value);
}

static bool head_fragment(struct parser *parser, struct text value)
{
	return head_open(parser, &parser->piece, value);
}

static bool head_class(struct parser *parser, struct text value)
{
	static const char *const names[QUERY_CLASSES] = {
		[QUERY_POINT] = "point",
		[QUERY_LIST] = "list",
		[QUERY_COMMIT] = "commit",
	};
	for (int i = 0; i < QUERY_CLASSES; i++) {
		if (!text_is(value, names[i]))
			continue;
		parser->query->class = (enum query_class)i;
		parser->has_class = true;
		return true;
	}
	return fail(parser, "the class is point, list or commit");
}

static bool head_kind(struct parser *parser, struct text value)
{
	if (!known_kind(parser->kinds, value.at, value.len))
		return fail(parser, "the kind is not a versioned kind");
	parser->query->kind = arena_strndup(parser->set->arena, value.at, value.len);
	return parser->query->kind != NULL || fail(parser, "out of memory");
}

static bool head_params(struct parser *parser, struct text value)
{
	struct text word;
	while (text_word(&value, &word))
		if (!add_param(parser, word))
			return false;
	return true;
}

static bool head_tenantless(struct parser *parser, struct text value)
{
	if (value.len == 0)
		return fail(parser, "tenantless needs a reason");
	parser->query->tenantless = arena_strndup(parser->set->arena, value.at, value.len);
	return parser->query->tenantless != NULL || fail(parser, "out of memory");
}

static bool head_line(struct parser *parser, struct text line)
{
	static const struct {
		const char *key;
		bool (*read)(struct parser *parser, struct text value);
	} keys[] = {
		{ "class", head_class },
		{ "kind", head_kind },
		{ "params", head_params },
		{ "tenantless", head_tenantless },
	};
	struct text key, value;
	if (!text_header(line, &key, &value))
		return true;
	if (text_is(key, "name"))
		return head_name(parser, value);
	if (text_is(key, "fragment"))
		return head_fragment(parser, value);
	if (parser->query == NULL)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (text_is(key, keys[i].key))
			return keys[i].read(parser, value);
	return fail(parser, "unknown word in the header");
}

/* An update of a versioned kind must hit its one row. */
static const char *wrap(struct parser *parser, struct text sql)
{
	const char *name = parser->query->name;
	size_t len = strlen(name), tail = strlen("_update");
	bool update = len > tail && strcmp(name + len - tail, "_update") == 0 &&
		      known_kind(parser->kinds, name, len - tail);
	if (!update || text_words(sql, "must_one") > 0)
		return arena_strndup(parser->set->arena, sql.at, sql.len);
	return arena_printf(parser->set->arena,
			    "WITH w AS (\n%.*s\nRETURNING 1) SELECT must_one(count(*)) FROM w",
			    (int)sql.len, sql.at);
}

static bool end_fragment(struct parser *parser, struct text sql)
{
	const char *why = fragments_add(&parser->fragments, parser->query->name, sql);
	if (why != NULL)
		return fail(parser, why);
	parser->query = NULL;
	return true;
}

static bool end_statement(struct parser *parser, const char *end)
{
	struct query *query = parser->query;
	struct text sql = text_trim((struct text){ parser->sql, (size_t)(end - parser->sql) });
	if (sql.len == 0)
		return fail(parser, "the statement is empty");
	if (query == &parser->piece)
		return end_fragment(parser, sql);
	if (!parser->has_class)
		return fail(parser, "the header has no class");
	query->sql = wrap(parser, sql);
	if (query->sql == NULL)
		return fail(parser, "out of memory");
	parser->set->n++;
	parser->query = NULL;
	return true;
}

static bool parse_line(struct parser *parser, struct text line)
{
	struct text trimmed = text_trim(line);
	bool comment = trimmed.len >= 2 && memcmp(trimmed.at, "--", 2) == 0;
	if (comment && (parser->query == NULL || parser->sql == NULL))
		return head_line(parser, trimmed);
	if (comment || trimmed.len == 0) {
		struct text key, value;
		if (comment && text_header(trimmed, &key, &value) && text_is(key, "name"))
			return fail(parser, "the statement has no ; at the end of a line");
		return true;
	}
	if (parser->query == NULL)
		return fail(parser, "text outside of a statement");
	if (parser->sql == NULL)
		parser->sql = line.at;
	const char *last = trimmed.at + trimmed.len - 1;
	return *last == ';' ? end_statement(parser, last) : true;
}

static bool parse_file(struct parser *parser, const struct embedded_file *file)
{
	struct text rest = { (const char *)file->data, (size_t)(file->end - file->data) }, line;
	parser->file = file->name;
	while (text_line(&rest, &line))
		if (!parse_line(parser, line))
			return false;
	return parser->query == NULL || fail(parser, "the last statement has no end");
}

static bool add_guards(struct parser *parser)
{
	static const struct query_param params[] = {
		{ "$org", QUERY_ORG },
		{ "$id", QUERY_ID },
		{ "$version", QUERY_VERSION },
	};
	struct query_set *set = parser->set;
	parser->file = "guards";
	for (const char *const *kind = parser->kinds; kind != NULL && *kind != NULL; kind++) {
		struct query *query = &set->queries[set->n];
		*query = (struct query){
			.name = arena_printf(set->arena, "%s_guard", *kind),
			.sql = arena_printf(set->arena,
					    "SELECT must_one(count(*)) FROM (SELECT 1 FROM %s "
					    "WHERE org_id = $1 AND id = $2 AND version = $3 "
					    "FOR SHARE) g",
					    *kind),
			.class = QUERY_COMMIT,
			.n_params = 3,
		};
		memcpy(query->params, params, sizeof(params));
		if (query->name == NULL || query->sql == NULL)
			return fail(parser, "out of memory");
		set->n++;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct query *left = a, *right = b;
	return strcmp(left->name, right->name);
}

static bool finish(struct parser *parser)
{
	struct query_set *set = parser->set;
	parser->file = "queries";
	for (size_t i = 0; i < set->n; i++) {
		parser->query = &set->queries[i];
		const char *sql =
			fragments_expand(&parser->fragments, parser->query->sql, set->arena);
		if (sql == NULL)
			return fail(parser, "names a fragment that is not there");
		parser->query->sql = seeded_sql(parser->query->name, sql, set->arena);
	}
	qsort(set->queries, set->n, sizeof(struct query), compare);
	for (size_t i = 1; i < set->n; i++) {
		parser->query = &set->queries[i];
		if (compare(&set->queries[i - 1], &set->queries[i]) == 0)
			return fail(parser, "the name is used twice");
	}
	return true;
}

static size_t count_names(const struct embedded_file *files, size_t n_files,
			  const char *const *kinds)
{
	size_t n = 0;
	for (size_t i = 0; i < n_files; i++) {
		struct text rest = { (const char *)files[i].data,
				     (size_t)(files[i].end - files[i].data) };
		struct text line, key, value;
		while (text_line(&rest, &line))
			n += text_header(text_trim(line), &key, &value) && text_is(key, "name");
	}
	for (; kinds != NULL && *kinds != NULL; kinds++)
		n++;
	return n;
}

struct query_set *query_set_new_from(const struct embedded_file *files, size_t n_files,
				     const char *const *kinds, const char **why)
{
	size_t n = count_names(files, n_files, kinds);
	struct query_set *set = calloc(1, sizeof(*set));
	struct parser parser = { .set = set, .kinds = kinds, .file = "queries" };
	if (set != NULL)
		set->arena = arena_new(SET_BYTES_MAX);
	if (set == NULL || set->arena == NULL) {
		fail(&parser, "out of memory");
		goto failed;
	}
	if (n > QUERIES_MAX) {
		fail(&parser, "too many statements");
		goto failed;
	}
	set->queries = arena_array(set->arena, struct query, n + 1);
	if (set->queries == NULL) {
		fail(&parser, "out of memory");
		goto failed;
	}
	for (size_t i = 0; i < n_files; i++)
		if (!parse_file(&parser, &files[i]))
			goto failed;
	if (!add_guards(&parser) || !finish(&parser))
		goto failed;
	return set;
failed:
	*why = parser.fault;
	query_set_free(set);
	return NULL;
}

struct query_set *query_set_new(const char *const *kinds, const char **why)
{
	return query_set_new_from(embedded_queries, embedded_queries_count, kinds, why);
}

void query_set_free(struct query_set *set)
{
	if (set == NULL)
		return;
	arena_free(set->arena);
	free(set);
}

struct query *query_find(struct query_set *set, const char *name)
{
	struct query key = { .name = name };
	return bsearch(&key, set->queries, set->n, sizeof(struct query), compare);
}

size_t query_count(const struct query_set *set)
{
	return set->n;
}

struct query *query_at(struct query_set *set, size_t i)
{
	assert(i < set->n);
	return &set->queries[i];
}

struct arena *query_set_arena(struct query_set *set)
{
	return set->arena;
}

static const struct query_param *org_param(const struct query *query)
{
	for (size_t i = 0; i < query->n_params; i++)
		if (query->params[i].special == QUERY_ORG)
			return &query->params[i];
	return NULL;
}

static const char *lint(const struct query *query, const char *const *tables)
{
	if (query->tenantless != NULL)
		return NULL;
	const struct query_param *org = org_param(query);
	if (org == NULL)
		return "has no parameter $org";
	struct text sql = { query->sql, strlen(query->sql) };
	size_t tables_named = text_tables(sql, tables);
	if (text_words(sql, "org_id") < tables_named)
		return "names a table without its org_id";
	if (tables_named > 0 && !text_binds(sql, "org_id", (size_t)(org - query->params) + 1))
		return "does not bind org_id to $org";
	return NULL;
}

struct status query_set_lint(const struct query_set *set, const char *const *tables,
			     struct arena *arena)
{
	for (size_t i = 0; i < set->n; i++) {
		const char *fault = lint(&set->queries[i], tables);
		if (fault == NULL)
			continue;
		const char *text =
			arena_printf(arena, "statement %s %s", set->queries[i].name, fault);
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "QUERY_NOT_TENANT_BOUND",
				   text == NULL ? "a statement is not bound to $org" : text);
	}
	return STATUS_OK;
}
