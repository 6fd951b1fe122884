#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/common.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "tests/unit/tap.h"

static Isms__V1__Risk *new_risk(struct arena *arena)
{
	Isms__V1__Risk *risk = (void *)pb_new(&isms__v1__risk__descriptor, arena);

	risk->meta = (void *)pb_new(&isms__v1__meta__descriptor, arena);
	risk->meta->id = arena_strdup(arena, "0190a5e2-7c3d-7abc-9def-0123456789ab");
	risk->meta->version = 3;
	risk->title = arena_strdup(arena, "Poisoned training data");
	risk->state = ISMS__V1__RISK_STATE__RISK_STATE_ANALYSED;
	risk->n_asset_ids = 2;
	risk->asset_ids = arena_array(arena, char *, 2);
	risk->asset_ids[0] = arena_strdup(arena, "a");
	risk->asset_ids[1] = arena_strdup(arena, "b");
	risk->current = (void *)pb_new(&isms__v1__score__descriptor, arena);
	risk->current->likelihood = 4;
	return risk;
}

TEST(a_message_survives_packing_and_unpacking)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena), *back;
	size_t len = 0;
	uint8_t *bytes = pb_pack(&len, &risk->base, arena);

	CHECK(bytes != NULL && len > 60);
	back = (void *)pb_unpack(&isms__v1__risk__descriptor, bytes, len, arena);
	CHECK(back != NULL);
	CHECK_STR(back->title, "Poisoned training data");
	CHECK_INT(back->current->likelihood, 4);
	CHECK_INT(back->n_asset_ids, 2);
	CHECK_STR(back->owner_id, "");
	CHECK(pb_unpack(&isms__v1__risk__descriptor, bytes, len - 1, arena) == NULL);
	arena_free(arena);
}

TEST(without_memory_there_is_no_message)
{
	struct arena *arena = arena_new(1 << 20), *small = arena_new(100);
	Isms__V1__Risk *risk = new_risk(arena);
	size_t len = 77;
	uint8_t *bytes = pb_pack(&len, &risk->base, arena);
	size_t packed = len;

	CHECK(pb_new(&isms__v1__risk__descriptor, small) == NULL);
	CHECK(pb_copy(&risk->base, small) == NULL);
	CHECK(pb_unpack(&isms__v1__risk__descriptor, bytes, packed, small) == NULL);
	CHECK(pb_pack(&len, &risk->base, small) == NULL || packed <= 100);
	arena_free(small);
	arena_free(arena);
}

TEST(fields_are_found_by_name)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	const ProtobufCFieldDescriptor *assets = pb_field(risk->base.descriptor, "asset_ids");

	CHECK(pb_field(risk->base.descriptor, "colour") == NULL);
	CHECK_INT(assets->id, 11);
	CHECK(pb_member(&risk->base, assets) == &risk->asset_ids);
	CHECK_INT(*pb_quantifier(&risk->base, assets), 2);
	CHECK(pb_quantifier(&risk->base, pb_field(risk->base.descriptor, "title")) == NULL);
	CHECK(pb_sub(&risk->base, "meta") == &risk->meta->base);
	CHECK(pb_sub(&risk->base, "target") == NULL);
	CHECK(pb_sub(&risk->base, "title") == NULL);
	CHECK(pb_sub(&risk->base, "colour") == NULL);
	CHECK_STR(pb_string(&risk->base, "title"), "Poisoned training data");
	CHECK_STR(pb_string(&risk->base, "state"), "");
	CHECK_STR(pb_string(&risk->base, "asset_ids"), "");
	CHECK_INT(pb_int(&risk->base, "state"), 2);
	CHECK_INT(pb_int(pb_sub(&risk->base, "meta"), "version"), 3);
	CHECK_INT(pb_int(&risk->base, "title"), 0);
	CHECK_INT(pb_int(&risk->base, "colour"), 0);
	arena_free(arena);
}

TEST(a_default_is_what_is_not_on_the_wire)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	unsigned set = 0;

	for (unsigned i = 0; i < risk->base.descriptor->n_fields; i++)
		set += !pb_is_default(&risk->base, &risk->base.descriptor->fields[i]);
	CHECK_INT(set, 5);
	CHECK(pb_is_default(&risk->base, pb_field(risk->base.descriptor, "owner_id")));
	CHECK(!pb_is_default(&risk->base, pb_field(risk->base.descriptor, "meta")));
	arena_free(arena);
}

TEST(only_the_chosen_member_of_a_oneof_is_read)
{
	Grpc__Reflection__V1__ServerReflectionRequest request =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	const ProtobufCMessageDescriptor *type = request.base.descriptor;
	char name[] = "";

	CHECK(pb_is_default(&request.base, pb_field(type, "list_services")));
	request.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
	request.list_services = name;
	CHECK(!pb_is_default(&request.base, pb_field(type, "list_services")));
	CHECK(pb_is_default(&request.base, pb_field(type, "file_by_filename")));
	CHECK(pb_sub(&request.base, "file_containing_extension") == NULL);
	CHECK_INT(*pb_quantifier(&request.base, pb_field(type, "list_services")), 7);
}

TEST(enums_have_short_names)
{
	const ProtobufCEnumDescriptor *state = &isms__v1__risk_state__descriptor;
	const ProtobufCEnumDescriptor *serving =
		&grpc__health__v1__health_check_response__serving_status__descriptor;
	int32_t value = 99;

	CHECK_STR(pb_enum_short(state, 3), "TREATMENT_PENDING");
	CHECK_STR(pb_enum_short(state, 0), "UNSPECIFIED");
	CHECK(pb_enum_short(state, 7) == NULL);
	CHECK(pb_enum_short(state, -1) == NULL);
	CHECK_STR(pb_enum_short(serving, 1), "SERVING");
	CHECK(pb_enum_value(&value, state, "TREATMENT_PENDING-", 17));
	CHECK_INT(value, 3);
	CHECK(pb_enum_value(&value, state, "RISK_STATE_CLOSED", 17));
	CHECK_INT(value, 6);
	CHECK(!pb_enum_value(&value, state, "closed", 6));
	CHECK(!pb_enum_value(&value, state, "CLOSE", 5));
	CHECK(!pb_enum_value(&value, state, "", 0));
	CHECK_INT(value, 6);
	CHECK(pb_enum_value(&value, serving, "NOT_SERVING", 11));
	CHECK_INT(value, 2);
}

TEST(a_copy_shares_all_but_meta)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	Isms__V1__Risk *copy = (void *)pb_copy(&risk->base, arena);

	CHECK(copy->title == risk->title);
	CHECK(copy->current == risk->current);
	CHECK(copy->meta != risk->meta);
	copy->meta->version++;
	CHECK_INT(risk->meta->version, 3);
	risk->meta = NULL;
	copy = (void *)pb_copy(&risk->base, arena);
	CHECK(copy->meta == NULL);
	arena_free(arena);
}

TEST(a_clone_shares_nothing)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	Isms__V1__Risk *clone = (void *)pb_clone(&risk->base, arena);

	risk->title[0] = 'X';
	risk->current->likelihood = 1;
	CHECK_STR(clone->title, "Poisoned training data");
	CHECK_INT(clone->current->likelihood, 4);
	arena_free(arena);
}

TEST(fields_of_the_same_name_and_type_are_copied)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	Isms__V1__RiskFields *fields = (void *)pb_new(&isms__v1__risk_fields__descriptor, arena);

	pb_copy_same(&fields->base, &risk->base);
	CHECK(fields->title == risk->title);
	CHECK(fields->asset_ids == risk->asset_ids);
	CHECK_INT(fields->n_asset_ids, 2);
	CHECK_STR(fields->cause, "");
	fields->title = arena_strdup(arena, "New");
	fields->n_asset_ids = 0;
	pb_copy_same(&risk->base, &fields->base);
	CHECK_STR(risk->title, "New");
	CHECK_INT(risk->n_asset_ids, 0);
	CHECK_INT(risk->state, 2);
	arena_free(arena);
}

TEST(fields_of_the_same_name_and_another_type_are_left)
{
	Isms__V1__ScoreRiskRequest request = ISMS__V1__SCORE_RISK_REQUEST__INIT;
	Isms__Store__V1__RiskScore score = ISMS__STORE__V1__RISK_SCORE__INIT;

	request.kind = ISMS__V1__SCORE_KIND__SCORE_KIND_CURRENT; /* an enum; int32 in the store */
	request.rationale = (char[]){ "why" };
	score.kind = 3;
	pb_copy_same(&score.base, &request.base);
	CHECK_STR(score.rationale, "why");
	CHECK_INT(score.kind, 3);
}

TEST(a_mask_with_a_field_that_cannot_be_stored_is_our_bug)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__ScoreRiskRequest request = ISMS__V1__SCORE_RISK_REQUEST__INIT;
	Isms__Store__V1__RiskScore score = ISMS__STORE__V1__RISK_SCORE__INIT;
	char *paths[] = { (char[]){ "rationale" }, (char[]){ "kind" } };
	struct status st;

	request.rationale = (char[]){ "why" };
	st = pb_apply_mask(&score.base, &request.base, paths, 2, arena);
	CHECK_INT(st.code, STATUS_CODE_INTERNAL);
	CHECK_STR(score.rationale, "");
	arena_free(arena);
}

TEST(a_oneof_is_copied_with_its_absence)
{
	Grpc__Reflection__V1__ServerReflectionRequest src =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	Grpc__Reflection__V1__ServerReflectionRequest dst =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	char name[] = "*";

	src.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
	src.list_services = name;
	pb_copy_same(&dst.base, &src.base);
	CHECK_INT(dst.message_request_case, 7);
	CHECK_STR(dst.list_services, "*");
	src.message_request_case = 0;
	pb_copy_same(&dst.base, &src.base);
	CHECK_INT(dst.message_request_case, 0);
}

TEST(a_mask_copies_what_it_names)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	Isms__V1__RiskFields *fields = (void *)pb_new(&isms__v1__risk_fields__descriptor, arena);
	char *paths[] = { (char[]){ "cause" }, (char[]){ "asset_ids" }, (char[]){ "cause" } };
	struct status st;

	fields->cause = arena_strdup(arena, "No provenance checks");
	fields->title = arena_strdup(arena, "not named");
	st = pb_apply_mask(&risk->base, &fields->base, paths, 3, arena);
	CHECK(status_ok(&st));
	CHECK_STR(risk->cause, "No provenance checks");
	CHECK_STR(risk->title, "Poisoned training data");
	CHECK_INT(risk->n_asset_ids, 0);
	arena_free(arena);
}

TEST(a_wrong_mask_changes_nothing)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);
	Isms__V1__RiskFields *fields = (void *)pb_new(&isms__v1__risk_fields__descriptor, arena);
	char *wrong[] = { (char[]){ "title" }, (char[]){ "state" } };
	char *dotted[] = { (char[]){ "current.level" } };
	struct status st = pb_apply_mask(&risk->base, &fields->base, wrong, 2, arena);

	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.details->violations[0].field, "update_mask");
	CHECK_STR(risk->title, "Poisoned training data");
	st = pb_apply_mask(&risk->base, &fields->base, NULL, 0, arena);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	CHECK_STR(st.details->violations[0].field, "update_mask");
	st = pb_apply_mask(&risk->base, &fields->base, dotted, 1, arena);
	CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
	arena_free(arena);
}

TEST(times_are_written_in_rfc_3339)
{
	static const struct {
		int64_t us;
		const char *text;
	} times[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ INT64_C(1796040000500000), "2026-11-30T12:00:00.5Z" },
		{ INT64_C(1796040000000010), "2026-11-30T12:00:00.00001Z" },
		{ INT64_C(951782400000000), "2000-02-29T00:00:00Z" },
		{ INT64_C(-62135596800000000), "0001-01-01T00:00:00Z" },
		{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z" },
		{ INT64_MAX, "294247-01-10T04:00:54.775807Z" },
		{ INT64_MIN, "-290308-12-21T19:59:05.224192Z" },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		pb_time_format(text, times[i].us);
		CHECK_STR(text, times[i].text);
	}
}

TEST(timestamps_and_microseconds_are_converted)
{
	struct arena *arena = arena_new(1 << 20);
	Google__Protobuf__Timestamp *time = pb_time_new(arena, -1);
	Google__Protobuf__Timestamp far = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	CHECK_INT(time->seconds, -1);
	CHECK_INT(time->nanos, 999999000);
	CHECK_INT(pb_time_us(time), -1);
	CHECK_INT(pb_time_us(NULL), 0);
	time = pb_time_new(arena, INT64_C(1796040000500000));
	CHECK_INT(pb_time_us(time), INT64_C(1796040000500000));
	far.seconds = INT64_MAX;
	CHECK_INT(pb_time_us(&far), INT64_MAX);
	far.seconds = INT64_MIN;
	CHECK_INT(pb_time_us(&far), INT64_MIN);
	arena_free(arena);
}

TEST(times_outside_the_years_1_to_9999_are_not_valid)
{
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	CHECK(pb_time_valid(&time));
	time.seconds = INT64_C(-62135596800);
	CHECK(pb_time_valid(&time));
	time.seconds--;
	CHECK(!pb_time_valid(&time));
	time.seconds = INT64_C(253402300799);
	time.nanos = 999999999;
	CHECK(pb_time_valid(&time));
	time.nanos++;
	CHECK(!pb_time_valid(&time));
	time.nanos = -1;
	CHECK(!pb_time_valid(&time));
	time.nanos = 0;
	time.seconds++;
	CHECK(!pb_time_valid(&time));
}

TAP_MAIN
