/* Calls from outside, well-formed and not: what each is answered with. */
#include "tests/unit/net_server.h"

/* --- calls ---------------------------------------------------------------- */

TEST(a_call_is_answered_with_head_message_and_trailers)
{
	struct client client = open_client();
	struct answer answer = call(&client, FAKE("Echo"), "hello", NONE);
	CHECK_STR(answer.http, "200");
	CHECK_STR(answer.status, "0");
	CHECK_STR(text_of(&answer), "hello");
	CHECK_INT(answer.reset, -1);
	answer = call(&client, FAKE("Echo"), "", NONE);
	CHECK_STR(answer.status, "0");
	CHECK_INT(answer.data_len, GRPC_PREFIX);
	client_close(&client);
}

TEST(token_and_peer_reach_the_engine)
{
	struct client client = open_client();
	struct answer answer =
		call(&client, FAKE("Whoami"), "", (struct field){ "authorization", "Bearer x" });
	CHECK(strncmp(text_of(&answer), "Bearer x 127.0.0.1:", 19) == 0);
	client_close(&client);
}

TEST(an_error_is_trailers_only_with_details)
{
	struct client client = open_client();
	struct answer answer = call(&client, FAKE("Fail"), "", NONE);
	CHECK_STR(answer.http, "200");
	CHECK_STR(answer.status, "3");
	CHECK_STR(answer.message, "100 %25 wrong %C3%A9");
	CHECK_STR(reason_of(&answer), "INVALID_FIELD");
	CHECK_INT(answer.data_len, 0);
	answer = call(&client, FAKE("Many"), "", NONE);
	CHECK(strlen(answer.details) > 1000 && strlen(answer.details) < 6500);
	CHECK_STR(reason_of(&answer), "INVALID_FIELD");
	client_close(&client);
}

TEST(a_reply_larger_than_the_windows_arrives_and_a_larger_one_still_is_refused)
{
	struct client client = open_client();
	const uint8_t window[] = { 0, 4, 0x10, 0, 0, 0 }; /* of a stream: 256 MiB */
	const uint8_t more[] = { 0x10, 0, 0, 0 };
	client_frame(&client, NGHTTP2_SETTINGS, 0, 0, window, sizeof(window));
	client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, 0, more, sizeof(more));
	struct answer answer = call(&client, FAKE("Big"), "4000000", NONE);
	CHECK_STR(answer.status, "0");
	CHECK_INT(answer.data_len, 4000000 + GRPC_PREFIX);
	answer = call(&client, FAKE("Big"), "4194304", NONE);
	CHECK_STR(answer.status, "0");
	answer = call(&client, FAKE("Big"), "4194305", NONE);
	CHECK_STR(answer.status, "8");
	CHECK_STR(reason_of(&answer), "REPLY_TOO_LARGE");
	client_close(&client);
}

TEST(replies_that_nobody_takes_are_bounded_and_harm_nobody_else)
{
	/* 8 MiB may wait before one more. */
	enum { CALLS = 8, TAKEN = 3, REPLY = 4000000 };
	struct client client = open_client();
	struct client other = open_client();
	int32_t streams[CALLS];
	/* No window for streams, a large one for the connection. */
	client_frame(&client, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0", 6);
	client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x3f\0\0\0", 4);
	/* All are admitted before the first is answered. */
	for (size_t i = 0; i < CALLS; i++)
		streams[i] = client_call(&client, FAKE("Big"), NONE);
	for (size_t i = 0; i < CALLS; i++)
		client_message(&client, streams[i], "4000000", true);
	struct answer answer = call(&other, FAKE("Big"), "1000", NONE);
	CHECK_STR(answer.status, "0");
	for (size_t i = TAKEN; i < CALLS; i++) {
		answer = client_answer(&client, streams[i]);
		CHECK_STR(answer.status, "8");
		CHECK_STR(reason_of(&answer), "READER_TOO_SLOW");
	}
	for (size_t i = 0; i < TAKEN; i++) {
		client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, streams[i], "\x3f\0\0\0", 4);
		client_flush(&client);
		answer = client_answer(&client, streams[i]);
		CHECK_STR(answer.status, "0");
		CHECK_INT(answer.data_len, REPLY + GRPC_PREFIX);
	}
	client_close(&other);
	client_close(&client);
}

TEST(a_route_that_waits_for_room_sends_all_without_much_waiting)
{
	struct client client = open_client();
	const uint8_t window[] = { 0, 4, 0x10, 0, 0, 0 }; /* of a stream: 256 MiB */
	const uint8_t more[] = { 0x10, 0, 0, 0 };
	client_frame(&client, NGHTTP2_SETTINGS, 0, 0, window, sizeof(window));
	client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, 0, more, sizeof(more));
	for (int i = 0; i < 2; i++) {
		struct answer answer = call(&client, FAKE("Flood"), "", NONE);
		CHECK_STR(answer.status, "0");
		CHECK_INT(answer.data_len, FLOOD_MESSAGES * (FLOOD_BYTES + GRPC_PREFIX));
	}
	client_close(&client);
}

TEST(a_request_of_one_mebibyte_arrives_through_the_window)
{
	enum { WINDOW = 65535, LEN = GRPC_PREFIX + GRPC_MESSAGE_MAX };
	struct client client = open_client();
	struct answer answer = { .reset = -1 };
	uint8_t *message = calloc(1, LEN);
	grpc_prefix_write(message, GRPC_MESSAGE_MAX);
	memcpy(message + GRPC_PREFIX, "7 bytes", 7);
	int32_t stream = client_call(&client, FAKE("Big"), NONE);
	for (size_t sent = 0, n; sent < LEN; sent += n) {
		while (WINDOW + client.credit == sent && client_step(&client, &answer, stream))
			;
		n = WINDOW + client.credit - sent;
		n = n < LEN - sent ? n : LEN - sent;
		if (!CHECK(n > 0))
			break;
		client_data(&client, stream, message + sent, n, sent + n == LEN);
	}
	while (!answer.ended && client_step(&client, &answer, stream))
		;
	CHECK_STR(answer.status, "0");
	CHECK_INT(answer.data_len, GRPC_PREFIX + 7);
	free(message);
	client_close(&client);
}

TEST(a_message_may_come_byte_by_byte_and_end_with_trailers)
{
	struct client client = open_client();
	const char bytes[] = "\0\0\0\0\3abc";
	int32_t stream = client_call(&client, FAKE("Echo"), NONE);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		client_data(&client, stream, bytes + i, 1, false);
	struct buf block;
	buf_init(&block, 64);
	hpack_field(&block, "x-t", "1", 1);
	client_frame(&client, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
		     stream, buf_bytes(&block), buf_len(&block));
	client_flush(&client);
	buf_done(&block);
	struct answer answer = client_answer(&client, stream);
	CHECK_STR(text_of(&answer), "abc");
	client_close(&client);
}

/* --- bad heads ------------------------------------------------------------ */

TEST(unknown_paths_are_unimplemented)
{
	static const char *const paths[] = { FAKE("echo"),          FAKE("Nope"),
					     "//test.v1.Fake/Echo", "/test.v1.Fake",
					     FAKE("%45cho"),        "/",
					     FAKE("Echo/"),         "/test.v1.Fake/" };
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct answer answer = call(&client, paths[i], "", NONE);
		CHECK_STR(answer.http, "200");
		CHECK_STR(answer.status, "12");
		CHECK_STR(reason_of(&answer), "METHOD_UNKNOWN");
	}
	client_close(&client);
}

/* A head of its own, with a message. */
static struct answer call_head(struct client *client, const struct field *fields)
{
	int32_t stream = client_head(client, fields, false);
	client_message(client, stream, "hi", true);
	return client_answer(client, stream);
}

TEST(what_is_no_grpc_gets_an_http_error)
{
	static const struct {
		const char *method, *type, *http;
	} rows[] = {
		{ "GET", "application/grpc", "405" },
		{ "PUT", "application/grpc", "405" },
		{ "POST", "application/json", "415" },
		{ "POST", "application/grpc-web", "415" },
		{ "POST", "application/grpc+json", "415" },
		{ "POST", "", "415" },
		{ "POST", "application/grpc+proto", "200" },
		{ "POST", "application/grpc; charset=utf-8", "200" },
	};
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct field fields[] = { { ":method", rows[i].method },
						{ ":scheme", "https" },
						{ ":path", FAKE("Echo") },
						{ ":authority", "localhost" },
						{ "content-type", rows[i].type },
						{ "te", "trailers" },
						{ NULL, NULL } };
		struct answer answer = call_head(&client, fields);
		CHECK_STR(answer.http, rows[i].http);
		CHECK_STR(answer.status, strcmp(rows[i].http, "200") == 0 ? "0" : "");
	}
	client_close(&client);
}

TEST(bad_metadata_is_refused_and_the_connection_stays)
{
	static char large[9000];
	static char token[8200];
	memset(large, 'y', sizeof(large) - 1);
	memset(token, 'y', sizeof(token) - 1);
	const struct {
		struct field field;
		const char *status, *reason;
	} rows[] = {
		{ { "x", large }, "8", "METADATA_TOO_LARGE" },
		{ { "authorization", token }, "16", "TOKEN_INVALID" },
		{ { "te", "trailers" }, "3", "METADATA_REPEATED" },
		{ { "grpc-encoding", "gzip" }, "12", "ENCODING_UNKNOWN" },
		{ { "grpc-encoding", "identity" }, "0", "" },
		{ { "grpc-timeout", "" }, "3", "TIMEOUT_MALFORMED" },
		{ { "grpc-timeout", "123456789S" }, "3", "TIMEOUT_MALFORMED" },
		{ { "grpc-timeout", "1x" }, "3", "TIMEOUT_MALFORMED" },
		{ { "grpc-timeout", "-1S" }, "3", "TIMEOUT_MALFORMED" },
		{ { "grpc-timeout", "0n" }, "4", "DEADLINE_EXCEEDED" },
		{ { "grpc-timeout", "99999999H" }, "0", "" },
		{ { "x-bin", "aGk=,aGk" }, "0", "" },
	};
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = call(&client, FAKE("Echo"), "hi", rows[i].field);
		CHECK_STR(answer.status, rows[i].status);
		CHECK_STR(reason_of(&answer), rows[i].reason);
		CHECK_STR(answer.encoding, strcmp(answer.status, "12") == 0 ? "identity" : "");
	}
	client_close(&client);
}

TEST(two_tokens_are_no_token)
{
	const struct field fields[] = { { ":method", "POST" },
					{ ":scheme", "https" },
					{ ":path", FAKE("Echo") },
					{ ":authority", "localhost" },
					{ "content-type", "application/grpc" },
					{ "te", "trailers" },
					{ "authorization", "Bearer a" },
					{ "authorization", "Bearer a" },
					{ NULL, NULL } };
	struct client client = open_client();
	struct answer answer = call_head(&client, fields);
	CHECK_STR(answer.status, "16");
	CHECK_STR(reason_of(&answer), "TOKEN_INVALID");
	client_close(&client);
}

TEST(malformed_fields_reset_the_stream)
{
	static const struct field fields[] = { { "x", "a\rb" },
					       { "x", "a\nb" },
					       { "X", "v" },
					       { "x-bin", "a!b" },
					       { "transfer-encoding", "chunked" },
					       { "content-length", "1" } };
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct answer answer = call(&client, FAKE("Echo"), "hi", fields[i]);
		CHECK_INT(answer.reset, NGHTTP2_PROTOCOL_ERROR);
		CHECK_STR(answer.http, "");
	}
	struct answer answer = call(&client, FAKE("Echo"), "hi", NONE);
	CHECK_STR(answer.status, "0");
	client_close(&client);
}

/* --- bad messages --------------------------------------------------------- */

TEST(bad_messages_are_refused)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *status, *reason;
	} rows[] = {
		{ "", 0, "3", "MESSAGE_MISSING" },
		{ "\0\0\0", 3, "3", "MESSAGE_INCOMPLETE" },
		{ "\0\0\0\0\5hi", 7, "3", "MESSAGE_INCOMPLETE" },
		{ "\0\0\0\0\1a\0\0\0\0\1b", 12, "12", "TOO_MANY_MESSAGES" },
		{ "\0\0\0\0\1a\0\0", 8, "3", "MESSAGE_INCOMPLETE" },
		{ "\1\0\0\0\2hi", 7, "3", NULL },
		{ "\2\0\0\0\2hi", 7, "3", NULL },
		{ "\377\0\0\0\2hi", 7, "3", NULL },
		{ "\0\0\0\0\2hi", 7, "0", "" },
	};
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int32_t stream = client_call(&client, FAKE("Echo"), NONE);
		client_data(&client, stream, rows[i].bytes, rows[i].len, true);
		struct answer answer = client_answer(&client, stream);
		CHECK_STR(answer.status, rows[i].status);
		if (rows[i].reason != NULL)
			CHECK_STR(reason_of(&answer), rows[i].reason);
	}
	client_close(&client);
}

TEST(a_message_that_is_too_long_is_refused_by_its_prefix)
{
	static const char *const prefixes[] = { "\0\0\x10\0\1", "\0\x80\0\0\0",
						"\0\xff\xff\xff\xff" };
	struct client client = open_client();
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		int32_t stream = client_call(&client, FAKE("Echo"), NONE);
		client_data(&client, stream, prefixes[i], GRPC_PREFIX, false);
		struct answer answer = client_answer(&client, stream);
		CHECK_STR(answer.status, "8");
		CHECK(answer.ended);
		/* And the client is told to stop sending. */
		while (answer.reset < 0 && client_step(&client, &answer, stream))
			;
		CHECK_INT(answer.reset, NGHTTP2_NO_ERROR);
	}
	client_close(&client);
}

/* --- ends of calls -------------------------------------------------------- */

TEST(the_deadline_is_kept_before_the_engine_and_by_it)
{
	struct client client = open_client();
	struct field timeout = { "grpc-timeout", "50m" };
	int32_t stream = client_call(&client, FAKE("Delay"), timeout);
	client_data(&client, stream, "\0\0", 2, false);
	struct answer answer = client_answer(&client, stream);
	CHECK_STR(answer.status, "4");
	CHECK_STR(reason_of(&answer), "DEADLINE_EXCEEDED");
	answer = call(&client, FAKE("Delay"), "4000", timeout);
	CHECK_STR(answer.status, "4");
	CHECK_STR(reason_of(&answer), "ENGINE_DEADLINE");
	client_close(&client);
}

TEST(the_deadline_is_kept_when_the_head_comes_in_pieces)
{
	static const struct field fields[] = {
		{ ":method", "POST" },      { ":scheme", "https" },
		{ ":path", FAKE("Echo") },  { ":authority", "localhost" },
		{ "grpc-timeout", "300m" }, { "content-type", "application/grpc" },
		{ "te", "trailers" },
	};
	enum { N = sizeof(fields) / sizeof(fields[0]), FIRST = 3 };
	struct client client = open_client();
	int32_t stream = client.next;
	struct buf block;
	buf_init(&block, 1 << 12);
	for (size_t i = 0; i < N; i++) {
		hpack_field(&block, fields[i].name, fields[i].value, strlen(fields[i].value));
		if (i != FIRST && i != N - 1)
			continue;
		client_frame(&client, i == FIRST ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
			     i == FIRST ? 0 : NGHTTP2_FLAG_END_HEADERS, stream, buf_bytes(&block),
			     buf_len(&block));
		client_flush(&client);
		buf_clear(&block);
		usleep(50000);
	}
	struct answer answer = client_answer(&client, stream);
	CHECK_STR(answer.status, "4");
	CHECK_STR(reason_of(&answer), "DEADLINE_EXCEEDED");
	client_close(&client);
}

TEST(a_reset_and_a_lost_connection_cancel_the_call)
{
	struct client client = open_client();
	struct client other = open_client();
	size_t calls = 0, before = 0, after = 0, flying = 0;
	struct answer answer = call(&other, FAKE("Counts"), "", NONE);
	CHECK_INT(sscanf(text_of(&answer), "%zu %zu", &calls, &before), 2);
	int32_t stream = client_call(&client, FAKE("Delay"), NONE);
	client_message(&client, stream, "60000", true);
	client_frame(&client, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\10", 4);
	stream = client_call(&client, FAKE("Delay"), NONE);
	client_message(&client, stream, "60000", true);
	answer = call(&client, FAKE("Counts"), "", NONE);
	CHECK_INT(sscanf(text_of(&answer), "%zu %zu %zu", &calls, &after, &flying), 3);
	CHECK_INT(after, before + 1);
	CHECK_INT(flying, 1);
	client_close(&client);
	for (int i = 0; i < 50 && flying > 0; i++) {
		usleep(20000);
		answer = call(&other, FAKE("Counts"), "", NONE);
		CHECK_INT(sscanf(text_of(&answer), "%zu %zu %zu", &calls, &after, &flying), 3);
	}
	CHECK_INT(after, before + 2);
	CHECK_INT(flying, 0);
	client_close(&other);
}

TEST(the_server_drains_and_ends_with_0)
{
	struct client client = open_client();
	kill(server, SIGTERM);
	CHECK(client_ends(&client));
	client_close(&client);
	CHECK(server_ended_well());
}

TAP_MAIN
