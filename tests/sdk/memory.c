/* Every allocation fails once: for n = STEP, 2 STEP, … a client is made and used while the
 * n-th allocation returns NULL, until a run ends without having reached n. Each
 * run must end with replies or without, never with a crash, a leak or a hang.
 *
 *     memory ADDRESS CA ours|all STEP [watch]
 *
 * all: OpenSSL's allocations fail, too. watch: four events are watched.
 *
 * Linked with --wrap for the functions below. */
#include <isms/api.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 20000 };

static long countdown; /* 0: none is to fail */
static bool reached;

static bool fails(void)
{
	if (countdown > 0 && --countdown == 0) {
		reached = true;
		return true;
	}
	return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return size == 0 || fails() ? NULL : __real_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : __real_realloc(old, size);
}

static void openssl_free(void *old, const char *file, int line)
{
	(void)file, (void)line;
	free(old);
}

/* --- the scenario --------------------------------------------------------- */

static long ok, failed;

static void count(struct isms_reply *reply)
{
	/* All that can be asked of a reply, also of one that is not there. */
	const char *words[] = { isms_reply_reason(reply), isms_reply_text(reply),
				isms_reply_request_id(reply), isms_reply_violation_field(reply, 0),
				isms_reply_fact_key(reply, 0) };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] == NULL) {
			abort();
		}
	}
	bool good = isms_reply_code(reply) == ISMS_OK;
	if (good != (isms_reply_message(reply) != NULL)) {
		abort();
	}
	ok += good;
	failed += !good;
	isms_reply_free(reply);
}

static void done(void *arg, struct isms_reply *reply)
{
	++*(int *)arg;
	count(reply);
}

static void get(struct isms_client *client, const char *id)
{
	Isms__V1__GetRiskRequest request = ISMS__V1__GET_RISK_REQUEST__INIT;
	char text[16];
	snprintf(text, sizeof(text), "%s", id);
	request.id = text;
	count(isms_risk_get_risk(client, &request, NULL));
}

static void start_some(struct isms_client *client)
{
	Isms__V1__CreateRiskRequest request = ISMS__V1__CREATE_RISK_REQUEST__INIT;
	Isms__V1__RiskFields fields = ISMS__V1__RISK_FIELDS__INIT;
	int started = 0;
	int ended = 0;
	request.fields = &fields;
	for (int i = 0; i < 3; i++) {
		started += isms_call_start(client, "/isms.v1.RiskService/CreateRisk", &request.base,
					   &isms__v1__create_risk_response__descriptor, NULL, done,
					   &ended) > 0;
	}
	while (ended < started) {
		struct pollfd waiting = { .fd = isms_client_fd(client), .events = POLLIN };
		isms_client_process(client);
		if (ended < started) {
			poll(&waiting, 1, isms_client_timeout(client));
		}
	}
}

/* Four events, in their order and each once, whatever fails meanwhile. */
static void watch_four(struct isms_client *client)
{
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	char *kinds[] = { (char[]){ "risk" } };
	char cursor[300] = "";
	struct isms_watch *watch = NULL;
	long last = 0;
	request.n_kinds = 1;
	request.kinds = kinds;
	request.cursor = cursor;
	for (int tries = 0; last < 4 && tries < 50; tries++) {
		if (watch == NULL) {
			watch = isms_watch_watch(client, &request, NULL);
			failed += watch == NULL;
			continue;
		}
		struct isms_reply *reply = NULL;
		int rc = isms_watch_next(watch, 5000, &reply);
		const Isms__V1__WatchResponse *message = isms_watch_watch_reply(reply);
		if ((rc > 0) != (message != NULL)) {
			abort();
		}
		if (message != NULL && message->event != NULL) {
			if (strtol(message->event->id, NULL, 10) != ++last) {
				abort();
			}
			ok++;
		}
		snprintf(cursor, sizeof(cursor), "%s", isms_watch_cursor(watch));
		isms_reply_free(reply);
		if (rc < 0) {
			/* Ended or not: another one goes on where this one was. */
			failed++;
			isms_watch_close(watch);
			watch = NULL;
		}
	}
	isms_watch_close(watch);
	if (last < 4) {
		abort();
	}
}

static bool watching;

static void scenario(const char *address, const char *ca)
{
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	options.address = address;
	options.ca_file = ca;
	options.timeout_ms = 5000;
	struct isms_client *client = isms_client_new(&options);
	if (client == NULL) {
		failed++;
		return;
	}
	isms_client_set_token(client, "ismsT_token");
	if (watching) {
		watch_four(client);
		isms_client_free(client);
		return;
	}
	get(client, "good");
	get(client, "fail");
	start_some(client);
	get(client, "good");
	isms_client_free(client);
}

int main(int argc, char **argv)
{
	if (argc != 5 && argc != 6) {
		return 2;
	}
	watching = argc == 6;
	if (strcmp(argv[3], "all") == 0 &&
	    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
		return 2;
	}
	scenario(argv[1], argv[2]); /* what libraries set up once, they set up here */
	long step = strtol(argv[4], NULL, 10);
	long n = 0;
	long runs = 0;
	do {
		n += step;
		countdown = n;
		reached = false;
		scenario(argv[1], argv[2]);
		countdown = 0;
	} while (reached && ++runs < RUNS_MAX);
	printf("{\"failures\": %ld, \"ok\": %ld, \"failed\": %ld}\n", runs, ok, failed);
	return runs < RUNS_MAX ? 0 : 1;
}
