#include <stdio.h>

#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "isms/store/v1/store.pb-c.h"
#include "isms/v1/catalog.pb-c.h"
#include "isms/v1/common.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "tests/unit/tap.h"

static char seen[8192];

static void note(void *arg, const char *field, const char *before, const char *after)
{
	size_t len = strlen(seen);

	(void)arg;
	snprintf(seen + len, sizeof(seen) - len, "%s[%s>%s]", field, before, after);
}

static const char *diff(const ProtobufCMessage *before, const ProtobufCMessage *after,
			struct arena *arena)
{
	seen[0] = '\0';
	pb_diff(before, after, arena, note, NULL);
	return seen;
}

static Isms__V1__Risk *new_risk(struct arena *arena)
{
	Isms__V1__Risk *risk = (void *)pb_new(&isms__v1__risk__descriptor, arena);

	risk->meta = (void *)pb_new(&isms__v1__meta__descriptor, arena);
	return risk;
}

TEST(equal_messages_do_not_differ)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *a = new_risk(arena), *b = new_risk(arena);
	char *list[] = { (char[]){ "x" } };
	char *same[] = { (char[]){ "x" } };

	a->asset_ids = list;
	b->asset_ids = same;
	a->n_asset_ids = b->n_asset_ids = 1;
	a->title = (char[]){ "t" };
	b->title = (char[]){ "t" };
	b->meta->version = 9;
	a->current = (void *)pb_new(&isms__v1__score__descriptor, arena);
	CHECK_STR(diff(&a->base, &a->base, arena), "");
	CHECK_STR(diff(&a->base, &b->base, arena), "");
	arena_free(arena);
}

TEST(changes_are_told_as_texts)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *a = new_risk(arena), *b = new_risk(arena);
	char *list[] = { (char[]){ "x" }, (char[]){ "y" } };

	a->title = (char[]){ "old" };
	b->title = (char[]){ "new" };
	b->asset_ids = list;
	b->n_asset_ids = 2;
	a->state = ISMS__V1__RISK_STATE__RISK_STATE_IDENTIFIED;
	b->state = ISMS__V1__RISK_STATE__RISK_STATE_ANALYSED;
	b->disposition = 77;
	b->accepted_until = pb_time_new(arena, INT64_C(1796040000000000));
	CHECK_STR(diff(&a->base, &b->base, arena),
		  "title[old>new]state[IDENTIFIED>ANALYSED]disposition[>77]asset_ids[>x, y]"
		  "accepted_until[>2026-11-30T12:00:00Z]");
	arena_free(arena);
}

TEST(sub_messages_are_followed_when_either_side_has_them)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *a = new_risk(arena), *b = new_risk(arena);

	a->current = (void *)pb_new(&isms__v1__score__descriptor, arena);
	a->current->likelihood = 3;
	a->current->impact = 2;
	CHECK_STR(diff(&a->base, &b->base, arena), "current.likelihood[3>]current.impact[2>]");
	CHECK_STR(diff(&b->base, &a->base, arena), "current.likelihood[>3]current.impact[>2]");
	b->current = (void *)pb_new(&isms__v1__score__descriptor, arena);
	b->current->likelihood = 3;
	b->current->impact = 5;
	b->current->level = ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH;
	CHECK_STR(diff(&a->base, &b->base, arena), "current.impact[2>5]current.level[>HIGH]");
	arena_free(arena);
}

TEST(without_before_all_that_is_set_is_told)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *risk = new_risk(arena);

	risk->meta->version = 1;
	risk->title = (char[]){ "t" };
	risk->target = (void *)pb_new(&isms__v1__score__descriptor, arena);
	risk->target->impact = 1;
	CHECK_STR(diff(NULL, &risk->base, arena), "title[>t]target.impact[>1]");
	arena_free(arena);
}

TEST(numbers_bools_and_bytes_have_texts)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Mutation a = ISMS__V1__MUTATION__INIT, b = ISMS__V1__MUTATION__INIT;
	Isms__Store__V1__SessionRow s = ISMS__STORE__V1__SESSION_ROW__INIT;
	uint8_t digest[] = { 0x00, 0xab, 0xff };

	a.expected_version = INT64_MIN;
	b.expected_version = INT64_MAX;
	a.dry_run = 1;
	CHECK_STR(diff(&a.base, &b.base, arena),
		  "expected_version[-9223372036854775808>9223372036854775807]dry_run[true>false]");
	s.token_sha256 = (ProtobufCBinaryData){ .data = digest, .len = sizeof(digest) };
	CHECK_STR(diff(NULL, &s.base, arena), "token_sha256[>00abff]");
	arena_free(arena);
}

TEST(lists_of_messages_are_told_as_one_text)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__ListRisksResponse a = ISMS__V1__LIST_RISKS_RESPONSE__INIT, b = a;
	Isms__V1__Risk *risks[2] = { new_risk(arena), new_risk(arena) };

	risks[0]->meta = NULL;
	risks[0]->title = (char[]){ "t" };
	risks[0]->state = ISMS__V1__RISK_STATE__RISK_STATE_CLOSED;
	risks[1]->meta = NULL;
	a.risks = b.risks = risks;
	a.n_risks = 1;
	b.n_risks = 2;
	CHECK_STR(diff(&a.base, &b.base, arena),
		  "risks[{title: t, state: CLOSED}>{title: t, state: CLOSED}, {}]");
	arena_free(arena);
}

TEST(a_change_of_the_members_of_a_oneof_is_told)
{
	struct arena *arena = arena_new(1 << 20);
	Grpc__Reflection__V1__ServerReflectionRequest a =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	Grpc__Reflection__V1__ServerReflectionRequest b = a;

	a.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
	a.list_services = (char[]){ "*" };
	b.message_request_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME;
	b.file_by_filename = (char[]){ "f" };
	CHECK_STR(diff(&a.base, &b.base, arena), "file_by_filename[>f]list_services[*>]");
	arena_free(arena);
}

static char longest[2048];
static size_t longest_len;

static void keep_after(void *arg, const char *field, const char *before, const char *after)
{
	(void)arg;
	(void)field;
	(void)before;
	longest_len = strlen(after);
	snprintf(longest, sizeof(longest), "%s", after);
}

TEST(long_texts_are_cut_between_characters)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *a = new_risk(arena), *b = new_risk(arena);
	char text[3001];

	memset(text, 'x', sizeof(text) - 1);
	text[1024] = '\0';
	b->title = text;
	pb_diff(&a->base, &b->base, arena, keep_after, NULL);
	CHECK_INT(longest_len, 1024);
	CHECK_STR(longest, text);
	text[1024] = 'x';
	text[3000] = '\0';
	pb_diff(&a->base, &b->base, arena, keep_after, NULL);
	CHECK_INT(longest_len, 1024);
	CHECK_STR(longest + 1021, "...");
	memcpy(text + 1019, "\xe2\x82\xac", 3); /* across the place of the cut */
	pb_diff(&a->base, &b->base, arena, keep_after, NULL);
	CHECK_INT(longest_len, 1022);
	CHECK_STR(longest + 1018, "x...");
	arena_free(arena);
}

TEST(a_change_behind_the_cut_is_still_a_change)
{
	struct arena *arena = arena_new(1 << 20);
	Isms__V1__Risk *a = new_risk(arena), *b = new_risk(arena);
	char left[3001] = { 0 }, right[3001] = { 0 };

	memset(left, 'x', 3000);
	memset(right, 'x', 3000);
	right[2999] = 'y';
	a->cause = left;
	b->cause = right;
	longest_len = 0;
	pb_diff(&a->base, &b->base, arena, keep_after, NULL);
	CHECK_INT(longest_len, 1024);
	arena_free(arena);
}

TAP_MAIN
