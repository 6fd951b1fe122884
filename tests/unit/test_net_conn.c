/* Connections from outside: TLS, limits, floods and the drain; and the services
 * that the room answers itself. */
#include "tests/unit/net_server.h"

/* --- health and reflection ------------------------------------------------ */

TEST(health_answers_for_the_server_and_its_services)
{
	struct client client = open_client();
	struct answer answer = call(&client, "/grpc.health.v1.Health/Check", "", NONE);
	CHECK_STR(answer.status, "0");
	CHECK_STR(text_of(&answer), "\x08\1");
	answer = call(&client, "/grpc.health.v1.Health/Check", "\x0a\x16grpc.health.v1.Health\0",
		      NONE);
	CHECK_STR(answer.status, "3"); /* one byte is missing */
	answer = call(&client, "/grpc.health.v1.Health/Check", "\x0a\x15grpc.health.v1.Health",
		      NONE);
	CHECK_STR(text_of(&answer), "\x08\1");
	answer = call(&client, "/grpc.health.v1.Health/Check", "\x0a\3foo", NONE);
	CHECK_STR(answer.status, "5");
	client_close(&client);
}

TEST(a_watcher_of_health_is_told_of_changes)
{
	struct client client = open_client();
	struct answer watched = { .reset = -1 };
	int32_t stream = client_call(&client, "/grpc.health.v1.Health/Watch", NONE);
	client_message(&client, stream, "", true);
	while (watched.data_len < 7 && client_step(&client, &watched, stream))
		;
	CHECK_INT(watched.data[6], 1);
	call(&client, FAKE("Serving"), "0", NONE);
	while (watched.data_len < 14 && client_step(&client, &watched, stream))
		;
	CHECK_INT(watched.data[13], 2);
	struct answer answer = call(&client, "/grpc.health.v1.Health/Check", "", NONE);
	CHECK_STR(text_of(&answer), "\x08\2");
	call(&client, FAKE("Serving"), "1", NONE);
	while (watched.data_len < 21 && client_step(&client, &watched, stream))
		;
	CHECK_INT(watched.data[20], 1);
	client_close(&client);
}

/* Which kind of answer a reflection request gets, and its length. */
static int reflect(struct client *client, const char *version, int field, const char *value,
		   size_t *out_len)
{
	char path[96], request[128];
	snprintf(path, sizeof(path), "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo",
		 version);
	snprintf(request, sizeof(request), "%c%c%s", field << 3 | 2, (int)strlen(value), value);
	struct answer answer = call(client, path, request, NONE);
	CHECK_STR(answer.status, "0");
	*out_len = answer.data_len;
	/* The reply begins with the request, field 2; what follows tells the kind. */
	size_t at = GRPC_PREFIX + 2 + strlen(request);
	CHECK_INT(answer.data[GRPC_PREFIX], 2 << 3 | 2);
	return at < answer.data_len && at < ANSWER_DATA ? answer.data[at] >> 3 : -1;
}

TEST(reflection_finds_files_symbols_and_services)
{
	enum { FILE_NAME = 3, SYMBOL = 4, FOUND = 4, SERVICES = 6, FAILED = 7 };
	struct client client = open_client();
	size_t by_name = 0, by_symbol = 0, len = 0;
	CHECK_INT(reflect(&client, "v1", FILE_NAME, "isms/v1/risk.proto", &by_name), FOUND);
	CHECK_INT(reflect(&client, "v1", SYMBOL, "isms.v1.RiskService", &by_symbol), FOUND);
	CHECK_INT(by_symbol, by_name + 1); /* the request is one longer */
	CHECK_INT(reflect(&client, "v1", SYMBOL, "isms.v1.RiskService.GetRisk", &len), FOUND);
	CHECK_INT(reflect(&client, "v1", SYMBOL, "isms.v1.RiskServic", &len), FAILED);
	CHECK_INT(reflect(&client, "v1", SYMBOL, "isms.v1", &len), FAILED);
	CHECK_INT(reflect(&client, "v1", SYMBOL, "isms.v1.Risk.", &len), FAILED);
	CHECK_INT(reflect(&client, "v1", FILE_NAME, "isms/v1/no.proto", &len), FAILED);
	CHECK_INT(reflect(&client, "v1", 7, "*", &len), SERVICES);
	CHECK_INT(reflect(&client, "v1alpha", 7, "*", &len), SERVICES);
	client_close(&client);
}

TEST(a_client_that_takes_nothing_is_given_no_more)
{
	enum { STREAMS = 6, REQUESTS = 600, BOUND = 10 << 20 };
	static const char request[] = "\0\0\0\0\x22\x1a\x20google/protobuf/descriptor.proto";
	struct client client = open_client();
	int32_t streams[STREAMS];
	struct buf many;
	size_t sum = 0, refused = 0;
	buf_init(&many, 1 << 20);
	for (int i = 0; i < REQUESTS; i++)
		buf_add(&many, request, sizeof(request) - 1);
	/* No window for streams, a large one for the connection. */
	client_frame(&client, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0", 6);
	client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x3f\0\0\0", 4);
	for (size_t i = 0; i < STREAMS; i++) {
		streams[i] = client_call(
			&client, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", NONE);
	}
	for (size_t i = 0; i < STREAMS; i++)
		client_data(&client, streams[i], buf_bytes(&many), buf_len(&many), true);
	for (size_t i = 0; i < STREAMS; i++) {
		client_frame(&client, NGHTTP2_WINDOW_UPDATE, 0, streams[i], "\x3f\0\0\0", 4);
		client_flush(&client);
		struct answer answer = client_answer(&client, streams[i]);
		CHECK(answer.ended);
		sum += answer.data_len;
		refused += strcmp(answer.status, "8") == 0;
	}
	CHECK(sum > BOUND / 2);
	CHECK(sum < BOUND);
	CHECK(refused > 0);
	buf_done(&many);
	client_close(&client);
}

/* --- connections ---------------------------------------------------------- */

TEST(a_silent_peer_is_dropped_after_the_handshake_time)
{
	struct client client = open_client();
	char byte;
	int fd = client_connect(port);
	struct pollfd silent = { .fd = fd, .events = POLLIN };
	CHECK_INT(poll(&silent, 1, 4000), 1);
	CHECK_INT(recv(fd, &byte, 1, 0), 0);
	close(fd);
	client_close(&client);
}

TEST(silent_peers_make_room_for_one_that_speaks)
{
	enum { N = 12 };
	struct client first = open_client();
	int silent[N];
	struct timespec before, after;
	for (size_t i = 0; i < N; i++)
		silent[i] = client_connect(port);
	clock_gettime(CLOCK_MONOTONIC, &before);
	struct client client = open_client();
	clock_gettime(CLOCK_MONOTONIC, &after);
	/* Much less than the handshake time that they would have alone. */
	CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 <
	      1000);
	for (size_t i = 0; i < N; i++)
		close(silent[i]);
	client_close(&client);
	client_close(&first);
}

TEST(the_name_in_the_certificate_must_fit)
{
	struct client client = open_client();
	static const struct {
		const char *name;
		enum tls_result result;
	} rows[] = { { "localhost", TLS_DONE },
		     { "127.0.0.1", TLS_DONE },
		     { "127.0.0.2", TLS_FAILED },
		     { "isms.example.org", TLS_FAILED } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client other = { .fd = client_connect(port) };
		CHECK_INT(client_tls(&other, cert_file, rows[i].name), rows[i].result);
		if (rows[i].result == TLS_FAILED)
			CHECK(strstr(tls_stream_error(other.tls), "mismatch") != NULL);
		client_close(&other);
	}
	client_close(&client);
}

TEST(a_peer_that_provokes_resets_is_sent_away)
{
	struct client client = open_client();
	for (int i = 0; i < 150 && !client.closed; i++)
		client_call(&client, FAKE("Echo"), (struct field){ "x", "a\rb" });
	CHECK(client_ends(&client));
	CHECK_INT(client.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	client_close(&client);
}

TEST(an_honest_client_may_cancel_a_thousand_calls)
{
	struct client client = open_client();
	for (int i = 0; i < 900; i++) {
		int32_t stream = client_call(&client, FAKE("Delay"), NONE);
		client_message(&client, stream, "60000", true);
		client_frame(&client, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\10", 4);
	}
	struct answer answer = call(&client, FAKE("Echo"), "hi", NONE);
	CHECK_STR(answer.status, "0");
	client_close(&client);
}

TEST(empty_frames_are_bounded)
{
	struct client client = open_client();
	int32_t stream = client_call(&client, FAKE("Echo"), NONE);
	for (int i = 0; i < 60; i++)
		client_data(&client, stream, "", 0, false);
	CHECK(client_ends(&client));
	CHECK_INT(client.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	client_close(&client);
}

TEST(beyond_the_connections_a_client_waits_for_another_to_leave)
{
	enum { N = 20 };
	static struct client clients[N];
	for (size_t i = 0; i < N; i++)
		clients[i] = open_client();
	struct client late = { .fd = client_connect(port) };
	struct arena *arena = arena_new(1 << 16);
	struct status st = tls_client_context(&late.context, cert_file, arena);
	CHECK(status_ok(&st));
	late.tls = tls_stream_new(late.context, late.fd, "localhost");
	struct pollfd waiting = { .fd = late.fd, .events = POLLIN };
	CHECK_INT(tls_handshake(late.tls), TLS_WANT_READ);
	CHECK_INT(poll(&waiting, 1, 300), 0);
	client_close(&clients[0]);
	CHECK_INT(poll(&waiting, 1, WAIT_MS), 1);
	for (size_t i = 1; i < N; i++)
		client_close(&clients[i]);
	client_close(&late);
	arena_free(arena);
}

/* The last: it ends the server. */
TEST(a_drain_serves_what_runs_and_ends_with_0)
{
	struct client client = open_client();
	struct client idle = open_client();
	struct client watcher = open_client();
	int32_t slow = client_call(&client, FAKE("Delay"), NONE);
	client_message(&client, slow, "1500", true);
	struct answer answer = call(&client, FAKE("Echo"), "hi", NONE);
	CHECK_STR(answer.status, "0");
	kill(server, SIGTERM);
	answer = (struct answer){ .reset = -1 };
	while (client.goaway < 0 && client_step(&client, &answer, slow))
		;
	CHECK_INT(client.goaway, NGHTTP2_NO_ERROR);
	/* One on its way when the notice came. */
	int32_t watched = client_call(&watcher, "/grpc.health.v1.Health/Watch", NONE);
	client_message(&watcher, watched, "", true);
	usleep(350000); /* past the grace for calls on their way */
	struct answer late = call(&client, FAKE("Echo"), "hi", NONE);
	CHECK_STR(late.status, "14");
	CHECK_STR(reason_of(&late), "SHUTTING_DOWN");
	CHECK(client_ends(&idle));
	struct answer last = client_answer(&watcher, watched);
	CHECK_STR(last.status, "14");
	CHECK(client_ends(&watcher));
	while (!answer.ended && client_step(&client, &answer, slow))
		;
	CHECK_STR(answer.status, "0");
	CHECK(client_ends(&client));
	CHECK(server_ended_well());
	client_close(&client);
	client_close(&idle);
	client_close(&watcher);
}

TAP_MAIN
