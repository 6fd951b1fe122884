#include <stdlib.h>

#include "common/arena.h"
#include "common/embed.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "pg.h"
#include "server/db/rowmap.h"
#include "tap.h"

#define U1 "01890a5d-ac96-774b-bcce-b302099a8057"
#define U2 "01890a5d-ac96-774b-bcce-b302099a8058"

static PGconn *conn;
static struct arena *arena;

static void begin(void)
{
	pg_start();
	if (conn == NULL)
		conn = PQconnectdb(pg_conninfo("postgres"));
	arena = arena_new(1000000);
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
}

/* A described statement with these parameters, in the arena. */
static struct query *describe(const char *sql, const char *const *params)
{
	struct query *query = arena_new_of(arena, struct query);
	*query = (struct query){ .name = "probe", .sql = sql };
	for (; params != NULL && params[query->n_params] != NULL; query->n_params++)
		query->params[query->n_params].name = params[query->n_params];
	PQclear(PQexec(conn, "DEALLOCATE ALL"));
	PGresult *result = PQprepare(conn, "probe", sql, (int)query->n_params, NULL);
	if (!CHECK_INT(PQresultStatus(result), PGRES_COMMAND_OK))
		printf("# %s", PQerrorMessage(conn));
	PQclear(result);
	result = PQdescribePrepared(conn, "probe");
	CHECK_INT(PQnparams(result), query->n_params);
	for (size_t i = 0; i < query->n_params; i++)
		query->param_oids[i] = PQparamtype(result, (int)i);
	for (int i = 0; i < PQnfields(result); i++) {
		query->columns[i].name = arena_strdup(arena, PQfname(result, i));
		query->columns[i].oid = PQftype(result, i);
		query->n_columns++;
	}
	PQclear(result);
	return query;
}

static void clear_result(void *result)
{
	PQclear(result);
}

static PGresult *execute(const struct query *query, const char *const *values, const int *lengths)
{
	int formats[QUERY_PARAMS_MAX];
	for (int i = 0; i < QUERY_PARAMS_MAX; i++)
		formats[i] = 1;
	PGresult *result =
		PQexecPrepared(conn, "probe", (int)query->n_params, values, lengths, formats, 1);
	if (!CHECK_INT(PQresultStatus(result), PGRES_TUPLES_OK))
		printf("# %s", PQerrorMessage(conn));
	arena_cleanup(arena, clear_result, result);
	return result;
}

/* Reads the first row of a statement without parameters. */
static ProtobufCMessage *read_row(const char *sql, const ProtobufCMessageDescriptor *type,
				  struct status *st)
{
	const char *why = NULL;
	struct query *query = describe(sql, NULL);
	struct rowmap *map = rowmap_new(query, type, arena, &why);
	ProtobufCMessage *message = NULL;
	if (!CHECK(map != NULL)) {
		printf("# %s\n", why);
		return NULL;
	}
	*st = rowmap_read(&message, map, execute(query, NULL, NULL), 0, arena);
	rowmap_free(map);
	return message;
}

static const char *mismatch(const char *sql, const ProtobufCMessageDescriptor *type)
{
	const char *why = NULL;
	struct rowmap *map = rowmap_new(describe(sql, NULL), type, arena, &why);
	rowmap_free(map);
	return map == NULL ? why : NULL;
}

/* Writes the message as parameters, has PostgreSQL return them, reads them. */
static ProtobufCMessage *round_trip(const char *sql, const char *const *params,
				    const ProtobufCMessage *message)
{
	const char *why = "", *values[QUERY_PARAMS_MAX];
	int lengths[QUERY_PARAMS_MAX];
	struct query *query = describe(sql, params);
	struct parammap *out = parammap_new(query, message->descriptor, arena, &why);
	struct rowmap *in = rowmap_new(query, message->descriptor, arena, &why);
	ProtobufCMessage *copy = NULL;
	if (!CHECK(out != NULL && in != NULL)) {
		printf("# %s\n", why);
		return NULL;
	}
	struct query_args args = { 0 };
	struct status st = parammap_write(out, message, &args, arena, values, lengths);
	if (CHECK(status_ok(&st)))
		st = rowmap_read(&copy, in, execute(query, values, lengths), 0, arena);
	CHECK(status_ok(&st));
	parammap_free(out);
	rowmap_free(in);
	return copy;
}

TEST(a_risk_survives_every_converter)
{
	begin();
	static const char *const params[] = { "id",
					      "version",
					      "created_at",
					      "title",
					      "state",
					      "current_level",
					      "current_impact",
					      "asset_ids",
					      "accepted_until",
					      "method_id",
					      "current_likelihood",
					      NULL };
	Isms__V1__Meta meta = ISMS__V1__META__INIT;
	Isms__V1__Score score = ISMS__V1__SCORE__INIT;
	Isms__V1__Risk risk = ISMS__V1__RISK__INIT;
	Google__Protobuf__Timestamp *at = pb_time_new(arena, INT64_C(-12345678901234567));
	char *assets[] = { (char *)U1, (char *)U2 };
	meta.id = (char *)U1;
	meta.version = INT64_MAX;
	meta.created_at = at;
	score.level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_CRITICAL;
	score.impact = 7;
	score.likelihood = -3;
	risk.meta = &meta;
	risk.current = &score;
	risk.title = (char *)"gr\xc3\xbc\xc3\x9f, 'quoted' \\";
	risk.state = ISMS__V1__RISK_STATE__RISK_STATE_IN_TREATMENT;
	risk.asset_ids = assets;
	risk.n_asset_ids = 2;
	const Isms__V1__Risk *copy = (const void *)round_trip(
		"SELECT $1::uuid AS id, $2::int8 AS version, $3::timestamptz AS created_at, "
		"$4::text AS title, $5::text AS state, $6::int2 AS current_level, "
		"$7::int4 AS current_impact, $8::uuid[] AS asset_ids, "
		"$9::timestamptz AS accepted_until, $10::uuid AS method_id, "
		"$11::int2 AS current_likelihood",
		params, &risk.base);
	if (!CHECK(copy != NULL))
		return;
	CHECK_STR(copy->meta->id, U1);
	CHECK_INT(copy->meta->version, INT64_MAX);
	CHECK_INT(pb_time_us(copy->meta->created_at), INT64_C(-12345678901234567));
	CHECK_STR(copy->title, risk.title);
	CHECK_INT(copy->state, risk.state);
	CHECK_INT(copy->current->level, score.level);
	CHECK_INT(copy->current->impact, 7);
	CHECK_INT(copy->current->likelihood, -3);
	CHECK_INT(copy->n_asset_ids, 2);
	CHECK_STR(copy->asset_ids[0], U1);
	CHECK_STR(copy->asset_ids[1], U2);
	CHECK(copy->accepted_until == NULL);
	CHECK_STR(copy->method_id, "");
	CHECK(copy->inherent == NULL);
	end();
}

TEST(empty_values_survive_too)
{
	begin();
	static const char *const params[] = { "id",        "title",         "state",
					      "asset_ids", "current_level", NULL };
	Isms__V1__Risk risk = ISMS__V1__RISK__INIT;
	const Isms__V1__Risk *copy = (const void *)round_trip(
		"SELECT $1::uuid AS id, $2::text AS title, $3::text AS state, "
		"$4::uuid[] AS asset_ids, $5::int2 AS current_level",
		params, &risk.base);
	CHECK(copy->meta == NULL && copy->current == NULL);
	CHECK_STR(copy->title, "");
	CHECK_INT(copy->state, 0);
	CHECK_INT(copy->n_asset_ids, 0);
	end();
}

TEST(bytes_texts_booleans_and_whole_messages_survive)
{
	begin();
	static const char *const vote[] = { "snapshot_sha256", "step_no", NULL };
	Isms__Store__V1__Vote row = ISMS__STORE__V1__VOTE__INIT;
	uint8_t digest[] = { 0, 1, 2, 0xff, 0 };
	row.snapshot_sha256 = (ProtobufCBinaryData){ sizeof(digest), digest };
	row.step_no = INT32_MIN;
	const Isms__Store__V1__Vote *vote_copy = (const void *)round_trip(
		"SELECT $1::bytea AS snapshot_sha256, $2::int4 AS step_no", vote, &row.base);
	CHECK_INT(vote_copy->snapshot_sha256.len, sizeof(digest));
	CHECK(memcmp(vote_copy->snapshot_sha256.data, digest, sizeof(digest)) == 0);
	CHECK_INT(vote_copy->step_no, INT32_MIN);

	static const char *const access[] = { "permissions", "max_accept_level", NULL };
	char *permissions[] = { (char *)"risk.read", (char *)"", (char *)"a,\"b\" {}" };
	Isms__Store__V1__Access rights = ISMS__STORE__V1__ACCESS__INIT;
	rights.permissions = permissions;
	rights.n_permissions = 3;
	rights.max_accept_level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH;
	const Isms__Store__V1__Access *rights_copy = (const void *)round_trip(
		"SELECT $1::text[] AS permissions, $2::text AS max_accept_level", access,
		&rights.base);
	CHECK_INT(rights_copy->n_permissions, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_STR(rights_copy->permissions[i], permissions[i]);
	CHECK_INT(rights_copy->max_accept_level, rights.max_accept_level);

	static const char *const create[] = { "fields", "request_id", "dry_run", NULL };
	Isms__V1__CreateRiskRequest request = ISMS__V1__CREATE_RISK_REQUEST__INIT;
	Isms__V1__RiskFields fields = ISMS__V1__RISK_FIELDS__INIT;
	Isms__V1__Mutation mutation = ISMS__V1__MUTATION__INIT;
	fields.title = (char *)"stored whole";
	fields.owner_id = (char *)U2;
	mutation.request_id = (char *)U1;
	mutation.dry_run = 1;
	request.fields = &fields;
	request.mutation = &mutation;
	const Isms__V1__CreateRiskRequest *request_copy = (const void *)round_trip(
		"SELECT $1::bytea AS fields, $2::uuid AS request_id, $3::bool AS dry_run", create,
		&request.base);
	CHECK_STR(request_copy->fields->title, "stored whole");
	CHECK_STR(request_copy->fields->owner_id, U2);
	CHECK_STR(request_copy->mutation->request_id, U1);
	CHECK(request_copy->mutation->dry_run);
	end();
}

TEST(lists_of_numbers_survive)
{
	begin();
	static const char *const params[] = { "entity_versions", "entity_ids", NULL };
	int64_t versions[] = { 0, -1, INT64_MAX, INT64_MIN, 4294967296 };
	Isms__Store__V1__OutboxRows rows = ISMS__STORE__V1__OUTBOX_ROWS__INIT;
	rows.entity_versions = versions;
	rows.n_entity_versions = sizeof(versions) / sizeof(versions[0]);
	const char *sql = "SELECT $1::bigint[] AS entity_versions, $2::uuid[] AS entity_ids";
	const Isms__Store__V1__OutboxRows *copy = (const void *)round_trip(sql, params, &rows.base);
	CHECK_INT(copy->n_entity_versions, rows.n_entity_versions);
	for (size_t i = 0; i < copy->n_entity_versions; i++)
		CHECK_INT(copy->entity_versions[i], versions[i]);
	rows.n_entity_versions = 0;
	copy = (const void *)round_trip(sql, params, &rows.base);
	CHECK_INT(copy->n_entity_versions, 0);

	struct status st;
	read_row("SELECT ARRAY[1, NULL]::bigint[] AS entity_versions",
		 &isms__store__v1__outbox_rows__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	read_row("SELECT ARRAY[[1], [2]]::bigint[] AS entity_versions",
		 &isms__store__v1__outbox_rows__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	end();
}

TEST(sub_messages_are_found_by_their_names)
{
	begin();
	struct status st;
	const Isms__V1__CreateRiskRequest *request = (const void *)read_row(
		"SELECT '" U1 "'::uuid AS request_id, true AS dry_run, 'x'::text AS title, '" U2
		"'::uuid AS owner_id, 5::int4 AS expected_version",
		&isms__v1__create_risk_request__descriptor, &st);
	CHECK(request != NULL && status_ok(&st));
	CHECK_STR(request->mutation->request_id, U1);
	CHECK(request->mutation->dry_run);
	CHECK_INT(request->mutation->expected_version, 5);
	CHECK_STR(request->fields->title, "x");
	CHECK_STR(request->fields->owner_id, U2);
	end();
}

TEST(null_is_refused_where_it_means_nothing)
{
	begin();
	struct status st;
	CHECK(read_row("SELECT NULL::text AS title", &isms__v1__risk__descriptor, &st) == NULL);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	CHECK_STR(st.message, "query probe, column title: is null");
	read_row("SELECT NULL::int8 AS version", &isms__v1__risk__descriptor, &st);
	CHECK_STR(st.message, "query probe, column version: is null");
	read_row("SELECT 1::int2 AS current_level, NULL::int2 AS current_impact",
		 &isms__v1__risk__descriptor, &st);
	CHECK_STR(st.message, "query probe, column current_impact: is null");
	const Isms__V1__Risk *risk = (const void *)read_row(
		"SELECT NULL::int2 AS current_level, NULL::int2 AS current_impact, "
		"NULL::text AS state, NULL::uuid AS owner_id, NULL::uuid[] AS asset_ids, "
		"NULL::timestamptz AS accepted_until, 0::int2 AS target_impact",
		&isms__v1__risk__descriptor, &st);
	CHECK(status_ok(&st));
	CHECK(risk->current == NULL && risk->target != NULL);
	end();
}

TEST(values_that_do_not_fit_are_refused)
{
	begin();
	struct status st;
	read_row("SELECT 'BOILED'::text AS state", &isms__v1__risk__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	CHECK_STR(st.message, "query probe, column state: the value does not fit the field");
	read_row("SELECT 3000000000::int8 AS step_no", &isms__store__v1__vote__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	read_row("SELECT 'infinity'::timestamptz AS at", &isms__store__v1__vote__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	read_row("SELECT ARRAY['a', NULL]::text[] AS role_codes",
		 &isms__store__v1__access__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	read_row("SELECT ARRAY[['a'], ['b']]::text[] AS role_codes",
		 &isms__store__v1__access__descriptor, &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	read_row("SELECT '\\xff'::bytea AS fields", &isms__v1__create_risk_request__descriptor,
		 &st);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	end();
}

TEST(a_mismatch_names_query_column_and_field)
{
	begin();
	CHECK_STR(mismatch("SELECT 1 AS nothing", &isms__v1__risk__descriptor),
		  "query probe, column nothing, field isms.v1.Risk.nothing: there is no such "
		  "field");
	CHECK_STR(mismatch("SELECT 1 AS title", &isms__v1__risk__descriptor),
		  "query probe, column title, field isms.v1.Risk.title: no converter between "
		  "these types");
	CHECK_STR(mismatch("SELECT ''::text AS title, 'x'::text AS title",
			   &isms__v1__risk__descriptor),
		  "query probe, column title, field isms.v1.Risk.title: two columns for one "
		  "field");
	CHECK_STR(mismatch("SELECT '{}'::jsonb AS title", &isms__v1__risk__descriptor),
		  "query probe, column title, field isms.v1.Risk.title: no converter between "
		  "these types");
	CHECK(mismatch("SELECT '" U1 "'::uuid AS page_key, 'x'::varchar AS title",
		       &isms__v1__risk__descriptor) == NULL);
	end();
}

static struct status write_params(const char *sql, struct query_param *params,
				  const ProtobufCMessage *message, const struct query_args *args,
				  const char **values, int *lengths)
{
	const char *why = NULL, *names[QUERY_PARAMS_MAX] = { 0 };
	for (size_t i = 0; params[i].name != NULL; i++)
		names[i] = params[i].name;
	struct query *query = describe(sql, names);
	for (size_t i = 0; i < query->n_params; i++)
		query->params[i] = params[i];
	struct parammap *map =
		parammap_new(query, message == NULL ? NULL : message->descriptor, arena, &why);
	if (map == NULL)
		return status_make(STATUS_CODE_FAILED_PRECONDITION, "BIND", why);
	struct status st = parammap_write(map, message, args, arena, values, lengths);
	parammap_free(map);
	return st;
}

TEST(specials_come_from_the_call)
{
	begin();
	static struct query_param params[] = { { "$org", QUERY_ORG },
					       { "$page_after", QUERY_PAGE_AFTER },
					       { "$page_limit", QUERY_PAGE_LIMIT },
					       { "$permission", QUERY_PERMISSION },
					       { "$token_sha256", QUERY_TOKEN_SHA256 },
					       { "$version", QUERY_VERSION },
					       { NULL, 0 } };
	uint8_t digest[32] = { 1, 2, 3 };
	struct query_args args = { .org = U1,
				   .permission = "risk.read",
				   .token_sha256 = digest,
				   .version = -2,
				   .page_limit = 101 };
	const char *values[QUERY_PARAMS_MAX];
	int lengths[QUERY_PARAMS_MAX];
	struct status st =
		write_params("SELECT $1::uuid, $2::uuid, 1 LIMIT $3",
			     (struct query_param[]){ params[0], params[1], params[2], { NULL, 0 } },
			     NULL, &args, values, lengths);
	CHECK(status_ok(&st));
	CHECK_INT(lengths[0], 16);
	CHECK(values[1] == NULL);
	CHECK_INT(lengths[2], 8);
	CHECK_INT(values[2][7], 101);
	st = write_params("SELECT $1::text, $2::bytea, $3::int8",
			  (struct query_param[]){ params[3], params[4], params[5], { NULL, 0 } },
			  NULL, &args, values, lengths);
	CHECK(status_ok(&st));
	CHECK(memcmp(values[0], "risk.read", 9) == 0 && lengths[0] == 9);
	CHECK(memcmp(values[1], digest, 32) == 0 && lengths[1] == 32);
	CHECK(memcmp(values[2], "\xff\xff\xff\xff\xff\xff\xff\xfe", 8) == 0);
	st = write_params("SELECT $1::text", (struct query_param[]){ params[0], { NULL, 0 } }, NULL,
			  &args, values, lengths);
	CHECK_STR(st.message,
		  "query probe, parameter $org of no message: the special has another type");
	end();
}

TEST(parameters_that_cannot_be_stored_name_the_field)
{
	begin();
	struct query_args args = { 0 };
	const char *values[QUERY_PARAMS_MAX];
	int lengths[QUERY_PARAMS_MAX];
	Isms__V1__CreateRiskRequest request = ISMS__V1__CREATE_RISK_REQUEST__INIT;
	Isms__V1__RiskFields fields = ISMS__V1__RISK_FIELDS__INIT;
	fields.owner_id = (char *)"not a uuid";
	request.fields = &fields;
	struct status st = write_params("SELECT $1::uuid",
					(struct query_param[]){ { "owner_id", 0 }, { NULL, 0 } },
					&request.base, &args, values, lengths);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK(st.details != NULL && st.details->n_violations == 1);
	CHECK_STR(st.details->violations[0].field, "fields.owner_id");

	Isms__V1__Risk risk = ISMS__V1__RISK__INIT;
	risk.state = (Isms__V1__RiskState)77;
	st = write_params("SELECT $1::text", (struct query_param[]){ { "state", 0 }, { NULL, 0 } },
			  &risk.base, &args, values, lengths);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.details->violations[0].field, "state");
	Isms__Store__V1__Vote vote = ISMS__STORE__V1__VOTE__INIT;
	vote.step_no = 40000;
	st = write_params("SELECT $1::int2",
			  (struct query_param[]){ { "step_no", 0 }, { NULL, 0 } }, &vote.base,
			  &args, values, lengths);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	st = write_params("SELECT $1::text", (struct query_param[]){ { "nobody", 0 }, { NULL, 0 } },
			  &risk.base, &args, values, lengths);
	CHECK_STR(st.message,
		  "query probe, parameter nobody of isms.v1.Risk: there is no such field");
	end();
}

TAP_MAIN
