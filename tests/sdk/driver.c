/* Makes calls with the SDK as it is told on standard input, one command a line,
 * and prints what came of each as one line of JSON. For test_sdk.py, which plays
 * the server.
 *
 *     driver ADDRESS [ca=FILE] [name=NAME] [insecure] [token=TOKEN]
 *
 *     get ID | create TITLE | activate TEXT   [timeout=MS] [retries=N] [key=KEY] [own=KEY]
 *     call METHOD     with an empty request
 *     pad N           create with a title of N bytes
 *     many N ID       N gets at once, and how many further ones were taken
 *     pair MS ID      a get and, MS later, a second one beside it
 *     cancel MS ID    a get that is cancelled after MS
 *     chain ID        a get whose done function makes a blocking get
 *     free ID         a get whose done function frees the client; ends
 *     token TOKEN     sets the token; "-" for none
 */
#include <inttypes.h>
#include <isms/api.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 4096, MANY_MAX = 100 };

static int64_t now_ms(void)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- printing ------------------------------------------------------------- */

static void put_text(const char *text)
{
	putchar('"');
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			printf("\\%c", *c);
		} else if ((unsigned char)*c < 0x20) {
			printf("\\u%04x", (unsigned)*c);
		} else {
			putchar(*c);
		}
	}
	putchar('"');
}

static void put_pair(const char *key, const char *value)
{
	printf(", \"%s\": ", key);
	put_text(value);
}

static void put_lists(const struct isms_reply *reply)
{
	printf(", \"violations\": [");
	for (size_t i = 0; i < isms_reply_violations(reply); i++) {
		printf(i > 0 ? ", [" : "[");
		put_text(isms_reply_violation_field(reply, i));
		printf(", ");
		put_text(isms_reply_violation_text(reply, i));
		printf("]");
	}
	printf("], \"facts\": {");
	for (size_t i = 0; i < isms_reply_facts(reply); i++) {
		printf(i > 0 ? ", " : "");
		put_text(isms_reply_fact_key(reply, i));
		printf(": ");
		put_text(isms_reply_fact(reply, isms_reply_fact_key(reply, i)));
	}
	printf("}");
}

static void put_reply(const struct isms_reply *reply, int64_t since_ms)
{
	const Isms__V1__GetRiskResponse *got = isms_risk_get_risk_reply(reply);
	const Isms__V1__CreateRiskResponse *made = isms_risk_create_risk_reply(reply);
	const Isms__V1__Risk *risk = got != NULL ? got->risk : made != NULL ? made->risk : NULL;
	printf("{\"code\": \"%s\", \"ms\": %" PRId64
	       ", \"retriable\": %d, \"retry_after_ms\": %" PRId64,
	       isms_code_name(isms_reply_code(reply)), now_ms() - since_ms,
	       isms_reply_retriable(reply), isms_reply_retry_after_ms(reply));
	put_pair("reason", isms_reply_reason(reply));
	put_pair("text", isms_reply_text(reply));
	put_pair("request_id", isms_reply_request_id(reply));
	put_lists(reply);
	if (isms_reply_message(reply) != NULL) {
		put_pair("type", isms_reply_message(reply)->descriptor->short_name);
	}
	if (risk != NULL) {
		put_pair("title", risk->title);
		printf(", \"cause_len\": %zu", strlen(risk->cause));
	}
	printf("}\n");
	fflush(stdout);
}

/* --- options -------------------------------------------------------------- */

static const char *value_of(char **words, size_t n, const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(words[i], key, len) == 0 && words[i][len] == '=') {
			return words[i] + len + 1;
		}
	}
	return NULL;
}

static struct isms_call_options options_of(char **words, size_t n)
{
	struct isms_call_options options = ISMS_CALL_OPTIONS_INIT;
	const char *timeout = value_of(words, n, "timeout");
	const char *retries = value_of(words, n, "retries");
	options.timeout_ms = timeout != NULL ? strtol(timeout, NULL, 10) : 0;
	options.max_retries = retries != NULL ? (int)strtol(retries, NULL, 10) : 0;
	options.request_id = value_of(words, n, "key");
	return options;
}

/* --- blocking calls ------------------------------------------------------- */

static struct isms_reply *get(struct isms_client *client, char *id,
			      const struct isms_call_options *options)
{
	Isms__V1__GetRiskRequest request = ISMS__V1__GET_RISK_REQUEST__INIT;
	request.id = id;
	return isms_risk_get_risk(client, &request, options);
}

static struct isms_reply *create(struct isms_client *client, char *title, char *own_key,
				 const struct isms_call_options *options)
{
	Isms__V1__CreateRiskRequest request = ISMS__V1__CREATE_RISK_REQUEST__INIT;
	Isms__V1__Mutation mutation = ISMS__V1__MUTATION__INIT;
	Isms__V1__RiskFields fields = ISMS__V1__RISK_FIELDS__INIT;
	fields.title = title;
	request.fields = &fields;
	mutation.expected_version = 7;
	/* Without a key of its own the request has a mutation or none, by turns. */
	static bool bare;
	bare = !bare;
	if (own_key != NULL) {
		mutation.request_id = own_key;
	}
	request.mutation = own_key == NULL && bare ? NULL : &mutation;
	const Isms__V1__Mutation *mutation_before = request.mutation;
	const char *key_before = mutation.request_id;
	struct isms_reply *reply = isms_risk_create_risk(client, &request, options);
	if (request.mutation != mutation_before || mutation.request_id != key_before) {
		fprintf(stderr, "the caller's message was changed\n");
		abort();
	}
	return reply;
}

static struct isms_reply *pad(struct isms_client *client, size_t len,
			      const struct isms_call_options *options)
{
	char *title = malloc(len + 1);
	if (title == NULL) {
		abort();
	}
	memset(title, 'x', len);
	title[len] = '\0';
	struct isms_reply *reply = create(client, title, NULL, options);
	free(title);
	return reply;
}

static struct isms_reply *activate(struct isms_client *client, char *text,
				   const struct isms_call_options *options)
{
	Isms__V1__ActivateRequest request = ISMS__V1__ACTIVATE_REQUEST__INIT;
	request.invitation = text;
	return isms_auth_activate(client, &request, options);
}

static struct isms_reply *call_method(struct isms_client *client, const char *method,
				      const struct isms_call_options *options)
{
	Isms__V1__WhoAmIRequest request = ISMS__V1__WHO_AM_IREQUEST__INIT;
	return isms_call(client, method, &request.base, &isms__v1__who_am_iresponse__descriptor,
			 options);
}

/* --- non-blocking calls --------------------------------------------------- */

struct tally {
	struct isms_client *client;
	int done;
	int ok;
	bool free_client;
	bool call_again;
};

static void count(void *arg, struct isms_reply *reply)
{
	struct tally *tally = arg;
	tally->done++;
	tally->ok += isms_reply_code(reply) == ISMS_OK;
	isms_reply_free(reply);
	if (tally->call_again) {
		char id[] = "again";
		tally->call_again = false;
		struct isms_reply *second = get(tally->client, id, NULL);
		tally->ok += isms_reply_code(second) == ISMS_OK;
		isms_reply_free(second);
	}
	if (tally->free_client) {
		isms_client_free(tally->client);
	}
}

static int64_t start_get(struct tally *tally, char *id)
{
	Isms__V1__GetRiskRequest request = ISMS__V1__GET_RISK_REQUEST__INIT;
	request.id = id;
	return isms_call_start(tally->client, "/isms.v1.RiskService/GetRisk", &request.base,
			       &isms__v1__get_risk_response__descriptor, NULL, count, tally);
}

/* Turns of the client until n calls are done or the time is over. */
static void run_until(struct tally *tally, int n, int64_t end_ms)
{
	struct isms_client *client = tally->client;
	isms_client_process(client);
	while (tally->done < n && now_ms() < end_ms) {
		struct pollfd waiting = { .fd = isms_client_fd(client),
					  .events = isms_client_events(client) };
		int timeout = isms_client_timeout(client);
		int left = (int)(end_ms - now_ms()) + 1;
		poll(&waiting, 1, timeout < 0 || timeout > left ? left : timeout);
		isms_client_process(client);
	}
}

static void many(struct isms_client *client, int n, char *id)
{
	struct tally tally = { .client = client };
	int taken = 0;
	while (taken < n && start_get(&tally, id) > 0) {
		taken++;
	}
	int64_t since_ms = now_ms();
	run_until(&tally, taken, since_ms + 20000);
	printf("{\"taken\": %d, \"done\": %d, \"ok\": %d, \"ms\": %" PRId64 "}\n", taken,
	       tally.done, tally.ok, now_ms() - since_ms);
	fflush(stdout);
}

static void pair(struct isms_client *client, int ms, char *id)
{
	struct tally first = { .client = client };
	struct tally second = { .client = client };
	start_get(&first, id);
	run_until(&first, 1, now_ms() + ms);
	bool beside = first.done == 0;
	int64_t since_ms = now_ms();
	start_get(&second, id);
	run_until(&second, 1, since_ms + 10000);
	int64_t second_ms = now_ms() - since_ms;
	beside = beside && first.done == 0;
	run_until(&first, 1, since_ms + 10000);
	printf("{\"ok\": %d, \"beside\": %d, \"ms\": %" PRId64 "}\n", first.ok + second.ok, beside,
	       second_ms);
	fflush(stdout);
}

static void cancel(struct isms_client *client, int ms, char *id)
{
	struct tally tally = { .client = client };
	int64_t call = start_get(&tally, id);
	run_until(&tally, 1, now_ms() + ms);
	isms_call_cancel(client, call);
	run_until(&tally, 1, now_ms() + 100);
	printf("{\"done\": %d}\n", tally.done);
	fflush(stdout);
}

static void from_done(struct isms_client *client, bool free_client, char *id)
{
	struct tally tally = { .client = client,
			       .call_again = !free_client,
			       .free_client = free_client };
	start_get(&tally, id);
	if (free_client) {
		struct pollfd waiting = { .fd = isms_client_fd(client), .events = POLLIN };
		while (tally.done == 0) {
			poll(&waiting, 1, 10);
			isms_client_process(client);
		}
	} else {
		run_until(&tally, 1, now_ms() + 10000);
	}
	printf("{\"done\": %d, \"ok\": %d}\n", tally.done, tally.ok);
	fflush(stdout);
}

/* --- commands ------------------------------------------------------------- */

/* Whether the client is still there. */
static bool run(struct isms_client *client, char **words, size_t n)
{
	struct isms_call_options options = options_of(words, n);
	char *own = (char *)(uintptr_t)value_of(words, n, "own");
	const char *command = words[0];
	struct isms_reply *reply = NULL;
	int64_t since_ms = now_ms();
	if (strcmp(command, "get") == 0) {
		reply = get(client, words[1], &options);
	} else if (strcmp(command, "create") == 0) {
		reply = create(client, words[1], own, &options);
	} else if (strcmp(command, "activate") == 0) {
		reply = activate(client, words[1], &options);
	} else if (strcmp(command, "call") == 0) {
		reply = call_method(client, words[1], &options);
	} else if (strcmp(command, "pad") == 0) {
		reply = pad(client, strtoul(words[1], NULL, 10), &options);
	} else if (strcmp(command, "many") == 0) {
		many(client, (int)strtol(words[1], NULL, 10), words[2]);
		return true;
	} else if (strcmp(command, "pair") == 0) {
		pair(client, (int)strtol(words[1], NULL, 10), words[2]);
		return true;
	} else if (strcmp(command, "cancel") == 0) {
		cancel(client, (int)strtol(words[1], NULL, 10), words[2]);
		return true;
	} else if (strcmp(command, "chain") == 0 || strcmp(command, "free") == 0) {
		from_done(client, command[0] == 'f', words[1]);
		return command[0] != 'f';
	} else if (strcmp(command, "token") == 0) {
		int rc = isms_client_set_token(client, words[1][0] == '-' ? NULL : words[1]);
		printf("{\"rc\": %d}\n", rc);
		fflush(stdout);
		return true;
	}
	put_reply(reply, since_ms);
	isms_reply_free(reply);
	return true;
}

int main(int argc, char **argv)
{
	size_t n_words = argc > 1 ? (size_t)argc - 1 : 0;
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	options.address = argv[1];
	options.ca_file = value_of(argv + 1, n_words, "ca");
	options.server_name = value_of(argv + 1, n_words, "name");
	options.token = value_of(argv + 1, n_words, "token");
	options.insecure_no_verify = argc > 2 && strcmp(argv[argc - 1], "insecure") == 0;
	struct isms_client *client = isms_client_new(&options);
	if (client == NULL) {
		printf("{\"client\": null}\n");
		return 1;
	}
	char line[LINE_SIZE];
	bool there = true;
	while (there && fgets(line, sizeof(line), stdin) != NULL) {
		char *words[8] = { NULL };
		char *rest = line;
		size_t n = 0;
		for (char *word; n < 8 && (word = strsep(&rest, " \n")) != NULL;) {
			if (*word != '\0') {
				words[n++] = word;
			}
		}
		if (n >= 2) {
			there = run(client, words, n);
		}
	}
	if (there) {
		isms_client_free(client);
	}
	return 0;
}
