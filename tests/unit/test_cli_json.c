/* Messages as JSON and back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "client/cli/json.h"
#include "common/arena.h"
#include "common/pb.h"
#include "isms/v1/acceptance.pb-c.h"
#include "isms/v1/approval.pb-c.h"
#include "isms/v1/risk.pb-c.h"
#include "tests/unit/tap.h"

static struct app app;

static void start(void)
{
	app = (struct app){ .arena = arena_new(16 * 1024 * 1024) };
}

static char *text_of(const ProtobufCMessage *message)
{
	json_t *json = json_from_message(&app, message);
	char *out = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return out;
}

static int parse(ProtobufCMessage *out, const char *text)
{
	return json_parse(&app, out, text, strlen(text));
}

/* What the parser says on stderr. */
static char *refusal(const ProtobufCMessageDescriptor *type, const char *text)
{
	static char out[1024];
	FILE *file = tmpfile();
	int real = dup(STDERR_FILENO);
	(void)fflush(stderr);
	(void)dup2(fileno(file), STDERR_FILENO);
	CHECK_INT(parse(pb_new(type, app.arena), text), CLI_USAGE);
	(void)fflush(stderr);
	(void)dup2(real, STDERR_FILENO);
	(void)close(real);
	rewind(file);
	out[fread(out, 1, sizeof out - 1, file)] = 0;
	(void)fclose(file);
	return out;
}

TEST(a_message_survives_json)
{
	static const char text[] =
		"{\"meta\":{\"id\":\"x\",\"ref\":\"RSK-000001\",\"version\":\"9007199254740993\","
		"\"createdAt\":\"2026-11-30T12:00:00.25Z\",\"createdBy\":\"\",\"updatedBy\":\"\"},"
		"\"scopeId\":\"\",\"aiSystemId\":\"\",\"title\":\"t "
		"\\u00fc\",\"cause\":\"\",\"event\":\"\","
		"\"consequence\":\"a\\nb\",\"ownerId\":\"\",\"state\":\"RISK_STATE_ANALYSED\","
		"\"disposition\":\"DISPOSITION_UNSPECIFIED\",\"assetIds\":[\"a\",\"b\"],"
		"\"threatIds\":[],"
		"\"vulnerabilityIds\":[],\"current\":{\"likelihood\":3,\"impact\":4,"
		"\"level\":\"RISK_LEVEL_HIGH\"},\"methodId\":\"\","
		"\"tolerance\":\"RISK_LEVEL_UNSPECIFIED\",\"uncovered\":false}";
	start();
	Isms__V1__Risk *risk = (void *)pb_new(&isms__v1__risk__descriptor, app.arena);
	CHECK_INT(parse(&risk->base, text), CLI_DONE);
	CHECK_INT(risk->meta->version, 9007199254740993);
	CHECK_INT(risk->n_asset_ids, 2);
	CHECK_INT(risk->current->level, ISMS__V1__RISK_LEVEL__RISK_LEVEL_HIGH);
	char *out = text_of(&risk->base);
	json_t *a = json_loads(out, 0, NULL), *b = json_loads(text, 0, NULL);
	CHECK(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	free(out);
	arena_free(app.arena);
}

TEST(names_enums_and_numbers_are_taken_in_all_their_forms)
{
	start();
	Isms__V1__UpdateRiskRequest *request =
		(void *)pb_new(&isms__v1__update_risk_request__descriptor, app.arena);
	CHECK_INT(parse(&request->base,
			"{\"mutation\": {\"expected_version\": 3, \"dryRun\": null},"
			"\"updateMask\": \"ownerId,title\", \"id\": \"i\"}"),
		  CLI_DONE);
	CHECK_INT(request->mutation->expected_version, 3);
	CHECK_INT(request->update_mask->n_paths, 2);
	CHECK_STR(request->update_mask->paths[0], "owner_id");
	char *out = text_of(&request->base);
	CHECK(strstr(out, "\"updateMask\":\"ownerId,title\""));
	free(out);
	Isms__V1__ListRisksRequest *list =
		(void *)pb_new(&isms__v1__list_risks_request__descriptor, app.arena);
	CHECK_INT(parse(&list->base, "{\"minLevel\": \"HIGH\", \"state\": 2}"), CLI_DONE);
	CHECK_INT(list->min_level, 3);
	CHECK_INT(list->state, 2);
	arena_free(app.arena);
}

TEST(bytes_are_base64)
{
	start();
	Isms__V1__CastVoteRequest *vote =
		(void *)pb_new(&isms__v1__cast_vote_request__descriptor, app.arena);
	CHECK_INT(parse(&vote->base, "{\"snapshotSha256\": \"AP_-gA==\"}"), CLI_DONE);
	CHECK_INT(vote->snapshot_sha256.len, 4);
	CHECK(memcmp(vote->snapshot_sha256.data, "\0\377\376\200", 4) == 0);
	char *out = text_of(&vote->base);
	CHECK(strstr(out, "\"snapshotSha256\":\"AP/+gA==\""));
	free(out);
	arena_free(app.arena);
}

TEST(what_does_not_fit_is_named_with_its_path)
{
	const ProtobufCMessageDescriptor *type = &isms__v1__create_risk_request__descriptor;
	start();
	CHECK(strstr(refusal(type, "{\"fields\": {\"titel\": \"x\"}}"),
		     "fields.titel: no such field; the nearest is title"));
	CHECK(strstr(refusal(type, "{\"fields\": {\"title\": 3}}"),
		     "fields.title: expected a text"));
	CHECK(strstr(refusal(type, "{\"fields\": {\"assetIds\": [\"a\", 1]}}"),
		     "fields.assetIds[1]"));
	CHECK(strstr(refusal(type, "{\"fields\": []}"), "fields: expected an object"));
	CHECK(strstr(refusal(type, "{\"mutation\": {\"expectedVersion\": \"1x\"}}"),
		     "whole number"));
	CHECK(strstr(refusal(type, "{\"scopeId\": \"a\", \"scopeId\": \"b\"}"), "not JSON"));
	CHECK(strstr(refusal(type, "{"), "line 1"));
	type = &isms__v1__list_risks_request__descriptor;
	CHECK(strstr(refusal(type, "{\"minLevel\": \"SEVERE\"}"), "low, medium, high, critical"));
	CHECK(strstr(refusal(type, "{\"pageSize\": 2147483648}"), "a smaller number"));
	type = &isms__v1__acceptance_fields__descriptor;
	CHECK(strstr(refusal(type, "{\"validUntil\": \"tomorrow\"}"), "RFC 3339"));
	arena_free(app.arena);
}

TEST(unsafe_characters_are_escaped_in_printed_json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *json = json_string("a\xe2\x80\xae"
				   "b\x1b[2J\xf3\xa0\x81\x81");
	json_print(out, json);
	(void)fclose(out);
	CHECK_STR(text, "\"a\\u202eb\\u001B[2J\\udb40\\udc41\"\n");
	json_t *again = json_loads(text, JSON_DECODE_ANY, NULL);
	CHECK(json_equal(json, again));
	json_decref(again);
	json_decref(json);
	free(text);
}

TAP_MAIN
