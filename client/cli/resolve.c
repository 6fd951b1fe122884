/* Names for objects; see resolve.h. One row a kind. */
#include "client/cli/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/field.h"
#include "client/cli/rpc.h"
#include "common/arena.h"
#include "common/pb.h"
#include "common/uuid.h"

enum {
	PAGES_MAX = 50, /* of 1,000 rows each */
	LABELS_MAX = 256,
	CANDIDATES_MAX = 4,
};

struct object {
	const char *name;
	const char *title;
	const char *prefix; /* of refs */
	const char *fields; /* names of fields that hold its id, blanks around each */
	const char *list;   /* method, and the field of its reply */
	const char *rows;
	const char *id;     /* path in a row */
	const char *key;    /* path of a unique key other than the id */
	const char *other;  /* path of a name that may be ambiguous */
	const char *filter; /* field of the list's request that takes the key */
	const char *get;    /* method that reads one, and the path in its reply */
	const char *row;
	const char *hint; /* command that lists them */
};

static const struct object objects[] = {
	{ "user", "user", NULL,
	  " user_id user_ids owner_id assignee_id author_id requested_by created_by updated_by "
	  "voter_id "
	  "ended_by actor_id contributor_ids assignee_ids from_user_id to_user_id on_behalf_of ",
	  "DirectoryService/ListUsers", "users", "meta.id", "email", "display_name", "email",
	  "DirectoryService/GetUser", "user", "isms user list" },
	{ "person", "person", NULL,
	  " person_id owner_person_ids requested_by_person contributor_persons voter_person ",
	  "DirectoryService/ListUsers", "users", "person_id", "email", NULL, "email", NULL, NULL,
	  "isms user list" },
	{ "scope", "scope", NULL, " scope_id parent_id ", "ScopeService/ListScopes", "scopes",
	  "meta.id", NULL, "name", NULL, "ScopeService/GetScope", "scope", "isms scope list" },
	{ "system", "AI system", "AIS-", " ai_system_id ", "ScopeService/ListAiSystems",
	  "ai_systems", "meta.id", "meta.ref", "name", NULL, "ScopeService/GetAiSystem",
	  "ai_system", "isms system list" },
	{ "asset", "asset", "AST-", " asset_ids ", "AssetService/ListAssets", "assets", "meta.id",
	  "meta.ref", "name", NULL, "AssetService/GetAsset", "asset", "isms asset list" },
	{ "risk", "risk", "RSK-", " risk_id ", "RiskService/ListRisks", "risks", "meta.id",
	  "meta.ref", NULL, NULL, "RiskService/GetRisk", "risk", "isms risk list" },
	{ "plan", "treatment plan", "TRP-", " plan_id ", "TreatmentService/ListPlans", "plans",
	  "meta.id", "meta.ref", NULL, NULL, "TreatmentService/GetPlan", "plan",
	  "isms treat list" },
	{ "acceptance", "acceptance", "ACC-", " ", "AcceptanceService/ListAcceptances",
	  "acceptances", "meta.id", "meta.ref", NULL, NULL, "AcceptanceService/GetAcceptance",
	  "acceptance", "isms accept list" },
	{ "approval", "approval request", "APR-", " approval_request_id ",
	  "ApprovalService/ListApprovalRequests", "requests", "meta.id", "meta.ref", NULL, NULL,
	  "ApprovalService/GetApprovalRequest", "request", "isms approval list" },
	{ "threat", "threat", NULL, " threat_ids ", "CatalogService/ListThreats", "threats",
	  "meta.id", "code", "name", "code", NULL, NULL, "isms catalog threats" },
	{ "vulnerability", "vulnerability", NULL, " vulnerability_ids ",
	  "CatalogService/ListVulnerabilities", "vulnerabilities", "meta.id", "code", "name",
	  "code", NULL, NULL, "isms catalog vulnerabilities" },
	{ "control", "control", NULL, " control_id control_ids compensating_control_ids ",
	  "CatalogService/ListControls", "controls", "meta.id", "code", "name", "code", NULL, NULL,
	  "isms catalog controls" },
	{ "policy", "approval policy", "POL-", " policy_id replaces_id ",
	  "PolicyService/ListPolicies", "policies", "meta.id", "meta.ref", "title", NULL,
	  "PolicyService/GetPolicy", "policy", "isms policy list" },
	{ "delegation", "delegation", "DEL-", " delegation_id ",
	  "DelegationService/ListDelegations", "delegations", "meta.id", "meta.ref", NULL, NULL,
	  "DelegationService/GetDelegation", "delegation", "isms delegation list" },
	{ "grant", "grant", NULL, " ", "DirectoryService/ListGrants", "grants", "meta.id", NULL,
	  NULL, NULL, NULL, NULL, "isms role grants" },
};
enum { OBJECTS = sizeof objects / sizeof objects[0] };

struct label {
	const char *id;
	const char *text;
};

struct cache {
	struct label labels[OBJECTS][LABELS_MAX];
	size_t n_labels[OBJECTS];
	bool listed[OBJECTS]; /* rows holds all of them */
	bool closed[OBJECTS]; /* the server does not let us look */
	const ProtobufCMessage **rows[OBJECTS];
	size_t n_rows[OBJECTS];
};

static struct cache *cache_of(struct app *app)
{
	if (!app->cache)
		app->cache = app_alloc(app, sizeof *app->cache);
	return app->cache;
}

static const struct object *object_find(const char *name)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (strcmp(objects[i].name, name) == 0)
			return &objects[i];
	return NULL;
}

bool resolve_is_object(const char *object)
{
	return strcmp(object, "any") == 0 || object_find(object) != NULL;
}

const char *resolve_object(const char *field)
{
	char word[80];
	(void)snprintf(word, sizeof word, " %s ", field);
	for (size_t i = 0; i < OBJECTS; i++)
		if (strstr(objects[i].fields, word))
			return objects[i].name;
	return NULL;
}

/* Text of a string field at a path; "" when a message on the way is absent. */
static const char *text_at(const ProtobufCMessage *row, const char *path)
{
	const char *dot = strrchr(path, '.');
	char head[64];
	if (!dot)
		return pb_string(row, path);
	(void)snprintf(head, sizeof head, "%.*s", (int)(dot - path), path);
	const ProtobufCMessage *sub = field_sub(row, head);
	return sub ? pb_string(sub, dot + 1) : "";
}

bool resolve_same_ref(const char *a, const char *b)
{
	size_t n = strcspn(a, "-"), m = strcspn(b, "-");
	if (n != m || !a[n] || !b[m] || strncasecmp(a, b, n) != 0)
		return strcasecmp(a, b) == 0;
	char *end_a, *end_b;
	unsigned long x = strtoul(a + n + 1, &end_a, 10), y = strtoul(b + m + 1, &end_b, 10);
	if (end_a == a + n + 1 || end_b == b + m + 1 || *end_a || *end_b)
		return strcasecmp(a, b) == 0;
	return x == y;
}

static bool has_prefix(const struct object *object, const char *text)
{
	size_t len = object->prefix ? strlen(object->prefix) : 0;
	if (!len || strncasecmp(text, object->prefix, len) != 0 || !text[len])
		return false;
	return text[len + strspn(text + len, "0123456789")] == 0;
}

bool resolve_is_ref(const char *object, const char *text)
{
	const struct object *row = object_find(object);
	return row && has_prefix(row, text);
}

/* "risk TRP-000001 is a treatment plan": prints when a ref is another kind's. */
static bool wrong_kind(const char *object, const char *text)
{
	const struct object *wanted = object_find(object);
	for (size_t i = 0; i < OBJECTS; i++)
		if (has_prefix(&objects[i], text) && &objects[i] != wanted) {
			app_error(CLI_USAGE, "%s is the ref of another kind", text);
			app_why("expected the %s's, %s is a%s %s", wanted->title, text,
				strchr("aeiouA", objects[i].title[0]) ? "n" : "", objects[i].title);
			return true;
		}
	return false;
}

/* Appends a page of rows. */
static void keep_rows(struct app *app, size_t at, const ProtobufCMessage *reply,
		      const ProtobufCFieldDescriptor *field)
{
	struct cache *cache = cache_of(app);
	size_t n = field_count(reply, field);
	const ProtobufCMessage **rows = app_alloc(app, sizeof(*rows) * (cache->n_rows[at] + n));
	if (cache->n_rows[at])
		memcpy(rows, cache->rows[at], sizeof(*rows) * cache->n_rows[at]);
	for (size_t i = 0; i < n; i++)
		rows[cache->n_rows[at] + i] =
			*(ProtobufCMessage *const *)field_item(reply, field, i);
	cache->rows[at] = rows;
	cache->n_rows[at] += n;
}

/* Lists all rows of a kind once, or those with a key. */
static int list(struct app *app, const struct object *object, const char *key, enum rpc_quiet quiet)
{
	size_t at = (size_t)(object - objects);
	struct cache *cache = cache_of(app);
	const char *token = "";
	bool filtered = key && object->filter;
	if (cache->listed[at])
		return CLI_DONE;
	cache->n_rows[at] = 0;
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		const ProtobufCMessage *reply;
		ProtobufCMessage *request = rpc_request(app, object->list);
		const ProtobufCMessageDescriptor *type = request->descriptor;
		*(int32_t *)pb_member(request, pb_field(type, "page_size")) = 1000;
		*(char **)pb_member(request, pb_field(type, "page_token")) = app_strdup(app, token);
		if (filtered)
			*(char **)pb_member(request, pb_field(type, object->filter)) =
				app_strdup(app, key);
		int exit = rpc_call_name(app, object->list, request, &reply, quiet);
		if (exit)
			return exit;
		keep_rows(app, at, reply, pb_field(reply->descriptor, object->rows));
		token = pb_string(reply, "next_page_token");
		if (!*token) {
			cache->listed[at] = !filtered;
			return CLI_DONE;
		}
	}
	return CLI_DONE;
}

static int ambiguous(const struct object *object, const char *text, const char *const *ids,
		     size_t n)
{
	app_error(CLI_USAGE, "%s names more than one %s", text, object->title);
	for (size_t i = 0; i < n && i < CANDIDATES_MAX; i++)
		app_why("%s", ids[i]);
	app_next("give the id or the ref; %s", object->hint);
	return CLI_USAGE;
}

/* Id of the row that text names among the listed ones. */
static int search(struct app *app, const struct object *object, const char *text, const char **out)
{
	size_t at = (size_t)(object - objects);
	struct cache *cache = cache_of(app);
	const char *ids[CANDIDATES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < cache->n_rows[at]; i++) {
		const ProtobufCMessage *row = cache->rows[at][i];
		const char *id = text_at(row, object->id);
		if (object->key && *id && resolve_same_ref(text_at(row, object->key), text)) {
			*out = id;
			return CLI_DONE;
		}
		if (object->other && *id && strcasecmp(text_at(row, object->other), text) == 0) {
			if (n < CANDIDATES_MAX)
				ids[n] = id;
			n++;
		}
	}
	if (n > 1)
		return ambiguous(object, text, ids, n);
	if (n == 0)
		return CLI_NOT_FOUND;
	*out = ids[0];
	return CLI_DONE;
}

/* The caller's own account. */
static int resolve_me(struct app *app, const struct object *object, const char **out)
{
	const ProtobufCMessage *reply;
	const char *method = "AuthService/WhoAmI";
	int exit = rpc_call_name(app, method, rpc_request(app, method), &reply, RPC_SAY);
	if (exit)
		return exit;
	const ProtobufCMessage *user = pb_sub(reply, "user");
	*out = user ? text_at(user, object->id) : "";
	return **out ? CLI_DONE
		     : app_error(CLI_USAGE, "your account stands for no %s", object->title);
}

/* The kind that a text is of, by its form. */
static const char *kind_of(const char *text)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (has_prefix(&objects[i], text))
			return objects[i].name;
	return strchr(text, '@') ? "user" : NULL;
}

bool resolve_has_form(const char *text)
{
	return kind_of(text) != NULL;
}

static int no_kind(const char *text)
{
	app_error(CLI_USAGE, "%s is no id, ref or e-mail", text);
	app_next("give an id, a ref such as RSK-42, or an e-mail");
	return CLI_USAGE;
}

int resolve_id(struct app *app, const char *name, const char *text, const char **out)
{
	uint8_t bytes[UUID_BYTES];
	if (uuid_parse(text, bytes) || !*text) {
		*out = text;
		return CLI_DONE;
	}
	name = strcmp(name, "any") == 0 ? kind_of(text) : name;
	if (!name)
		return no_kind(text);
	const struct object *object = object_find(name);
	if (wrong_kind(name, text))
		return CLI_USAGE;
	bool account = strcmp(name, "user") == 0 || strcmp(name, "person") == 0;
	if (account && strcmp(text, "me") == 0)
		return resolve_me(app, object, out);
	/* A key narrows the list, but a name does not match it: then all are read. */
	int exit = CLI_NOT_FOUND;
	bool narrow = object->filter && !strchr(text, ' ');
	if (narrow) {
		exit = list(app, object, text, RPC_SAY);
		if (!exit)
			exit = search(app, object, text, out);
	}
	if (exit == CLI_NOT_FOUND && (!narrow || object->other)) {
		exit = list(app, object, NULL, RPC_SAY);
		if (!exit)
			exit = search(app, object, text, out);
	}
	if (exit != CLI_NOT_FOUND)
		return exit;
	app_error(CLI_NOT_FOUND, "there is no %s %s that you may see", object->title, text);
	app_next("%s", object->hint);
	return CLI_NOT_FOUND;
}

static const char *label_of(const struct object *object, const ProtobufCMessage *row)
{
	return text_at(row, object->key ? object->key : object->other);
}

/* The label by reading the object, or from the list of its kind; "" for none. */
static const char *look_up(struct app *app, const struct object *object, const char *id)
{
	size_t at = (size_t)(object - objects);
	const ProtobufCMessage *reply;
	struct cache *cache = cache_of(app);
	if (object->get && !cache->listed[at]) {
		int exit = rpc_get(app, object->get, id, &reply, RPC_QUIET);
		cache->closed[at] = exit != CLI_DONE && exit != CLI_NOT_FOUND;
		const ProtobufCMessage *row = exit ? NULL : field_sub(reply, object->row);
		return row ? label_of(object, row) : "";
	}
	cache->closed[at] = list(app, object, NULL, RPC_QUIET) != CLI_DONE;
	for (size_t i = 0; i < cache->n_rows[at]; i++)
		if (strcmp(text_at(cache->rows[at][i], object->id), id) == 0)
			return label_of(object, cache->rows[at][i]);
	return "";
}

const char *resolve_label(struct app *app, const char *name, const char *id)
{
	const struct object *object = object_find(name);
	struct cache *cache = cache_of(app);
	uint8_t bytes[UUID_BYTES];
	if (!object || (!object->key && !object->other) || !uuid_parse(id, bytes))
		return id;
	size_t at = (size_t)(object - objects), n = cache->n_labels[at];
	for (size_t i = 0; i < n; i++)
		if (strcmp(cache->labels[at][i].id, id) == 0)
			return cache->labels[at][i].text;
	if (cache->closed[at] || n == LABELS_MAX)
		return id;
	const char *text = look_up(app, object, id);
	cache->labels[at][n] = (struct label){ app_strdup(app, id), *text ? text : id };
	cache->n_labels[at]++;
	return cache->labels[at][n].text;
}
