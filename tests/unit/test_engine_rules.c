/* The rules of fields, read from the embedded descriptors, against messages that
 * keep and break them. */
#include "server/engine/rules.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/auth.pb-c.h"
#include "isms/v1/directory.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "isms/v1/treatment.pb-c.h"
#include "tests/unit/tap.h"

#define UUID "01900000-0000-7000-8000-000000000001"

static struct arena *arena;
static struct rules *rules;

static void begin(void)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&isms__v1__create_risk_request__descriptor,
		&isms__v1__score_risk_request__descriptor,
		&isms__v1__cast_vote_request__descriptor,
		&isms__v1__create_plan_request__descriptor,
		&isms__v1__create_user_response__descriptor,
		&isms__v1__update_risk_request__descriptor,
	};
	const char *why = NULL;
	arena = arena_new(1 << 20);
	rules = rules_new(types, sizeof(types) / sizeof(types[0]), &why);
	CHECK(rules != NULL);
}

static void end(void)
{
	rules_free(rules);
	arena_free(arena);
}

static bool violates(const void *message, const char *field)
{
	struct status st = rules_check(rules, message, arena);
	if (status_ok(&st) || st.details == NULL)
		return false;
	for (size_t i = 0; i < st.details->n_violations; i++)
		if (strcmp(st.details->violations[i].field, field) == 0)
			return true;
	return false;
}

static Isms__V1__CreateRiskRequest *risk_request(void)
{
	Isms__V1__CreateRiskRequest *request = arena_new_of(arena, Isms__V1__CreateRiskRequest);
	Isms__V1__Mutation *mutation = arena_new_of(arena, Isms__V1__Mutation);
	Isms__V1__RiskFields *fields = arena_new_of(arena, Isms__V1__RiskFields);
	isms__v1__create_risk_request__init(request);
	isms__v1__mutation__init(mutation);
	isms__v1__risk_fields__init(fields);
	mutation->request_id = (char *)UUID;
	request->mutation = mutation;
	request->scope_id = (char *)UUID;
	request->fields = fields;
	fields->title = (char *)"a title";
	return request;
}

static char *repeat(char letter, size_t n)
{
	char *text = arena_alloc(arena, n + 1);
	memset(text, letter, n);
	return text;
}

TEST(a_message_that_keeps_the_rules_passes)
{
	begin();
	Isms__V1__CreateRiskRequest *request = risk_request();
	struct status st = rules_check(rules, &request->base, arena);
	CHECK(status_ok(&st));
	end();
}

TEST(what_is_required_must_be_there)
{
	begin();
	Isms__V1__CreateRiskRequest *request = risk_request();
	request->scope_id = (char *)"";
	CHECK(violates(request, "scope_id"));
	request = risk_request();
	request->mutation = NULL;
	CHECK(violates(request, "mutation"));
	request = risk_request();
	request->mutation->request_id = (char *)" ";
	CHECK(violates(request, "mutation.request_id"));
	end();
}

TEST(text_is_counted_in_characters)
{
	begin();
	Isms__V1__CreateRiskRequest *request = risk_request();
	request->fields->title = repeat('x', 200);
	CHECK(!violates(request, "fields.title"));
	request->fields->title = repeat('x', 201);
	CHECK(violates(request, "fields.title"));
	char *umlauts = arena_alloc(arena, 401);
	for (size_t i = 0; i < 200; i++)
		memcpy(umlauts + 2 * i, "\xc3\xbc", 2);
	request->fields->title = umlauts;
	CHECK(!violates(request, "fields.title"));
	request->fields->title = (char *)"two\nlines";
	CHECK(violates(request, "fields.title"));
	request->fields->title = (char *)"a title";
	request->fields->cause = (char *)"two\nlines";
	CHECK(!violates(request, "fields.cause"));
	end();
}

TEST(a_list_is_bounded_and_each_element_checked)
{
	begin();
	Isms__V1__CreateRiskRequest *request = risk_request();
	char *ids[101];
	for (size_t i = 0; i < 101; i++)
		ids[i] = (char *)UUID;
	request->fields->asset_ids = ids;
	request->fields->n_asset_ids = 100;
	CHECK(!violates(request, "fields.asset_ids"));
	request->fields->n_asset_ids = 101;
	CHECK(violates(request, "fields.asset_ids"));
	request->fields->n_asset_ids = 2;
	ids[1] = (char *)"nothing";
	CHECK(violates(request, "fields.asset_ids[1]"));
	end();
}

TEST(numbers_and_enums_have_their_range)
{
	begin();
	Isms__V1__ScoreRiskRequest request;
	isms__v1__score_risk_request__init(&request);
	Isms__V1__Mutation mutation;
	isms__v1__mutation__init(&mutation);
	mutation.request_id = (char *)UUID;
	request.mutation = &mutation;
	request.id = (char *)UUID;
	request.rationale = (char *)"seen";
	request.kind = ISMS__V1__SCORE_KIND__SCORE_KIND_CURRENT;
	for (int32_t value = -1; value <= 9; value++) {
		request.likelihood = value;
		request.impact = 1;
		CHECK(violates(&request, "likelihood") == (value < 1 || value > 7));
	}
	request.likelihood = 1;
	request.kind = (Isms__V1__ScoreKind)99;
	CHECK(violates(&request, "kind"));
	request.kind = ISMS__V1__SCORE_KIND__SCORE_KIND_UNSPECIFIED;
	CHECK(violates(&request, "kind"));
	end();
}

TEST(bytes_have_their_length)
{
	begin();
	Isms__V1__CastVoteRequest request;
	uint8_t bytes[33] = { 0 };
	isms__v1__cast_vote_request__init(&request);
	for (size_t len = 0; len <= 33; len++) {
		request.snapshot_sha256 = (ProtobufCBinaryData){ len, bytes };
		CHECK(violates(&request, "snapshot_sha256") == (len != 32));
	}
	end();
}

TEST(a_time_is_between_the_years_1_and_9999)
{
	begin();
	Isms__V1__CreatePlanRequest request;
	Isms__V1__PlanFields fields;
	Google__Protobuf__Timestamp due;
	isms__v1__create_plan_request__init(&request);
	isms__v1__plan_fields__init(&fields);
	google__protobuf__timestamp__init(&due);
	request.fields = &fields;
	fields.due_at = &due;
	due.seconds = -62135596800;
	CHECK(!violates(&request, "fields.due_at"));
	due.seconds = -62135596801;
	CHECK(violates(&request, "fields.due_at"));
	due.seconds = 253402300799;
	CHECK(!violates(&request, "fields.due_at"));
	due.seconds = 253402300800;
	CHECK(violates(&request, "fields.due_at"));
	due.seconds = 0;
	due.nanos = -1;
	CHECK(violates(&request, "fields.due_at"));
	end();
}

TEST(secrets_are_taken_out_of_what_is_kept)
{
	begin();
	Isms__V1__CreateUserResponse reply;
	isms__v1__create_user_response__init(&reply);
	reply.invitation = (char *)"ismsB_secret";
	const Isms__V1__CreateUserResponse *kept =
		(const void *)rules_without_secrets(rules, &reply.base, arena);
	CHECK_STR(kept->invitation, "");
	CHECK_STR(reply.invitation, "ismsB_secret");
	Isms__V1__CreateRiskRequest *plain = risk_request();
	CHECK(rules_without_secrets(rules, &plain->base, arena) == &plain->base);
	end();
}

TAP_MAIN
