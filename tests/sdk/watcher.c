/* Watches as it is told and prints each message as one line of JSON, then why it ended.
 * For test_watch.py, which plays the server.
 *
 *     watcher ADDRESS ca=FILE [token=TOKEN] [cursor=CURSOR] [count=N] [quiet=MS]
 *         [give-up=MS] [wait=MS] [slow=MS] [method=METHOD] [poll] [free] [beside]
 *
 *     count    ends after so many messages
 *     wait     how long isms_watch_next waits; what gives nothing is printed, too
 *     slow     pause after each message
 *     poll     waits for the client's descriptor itself
 *     free     frees the client before the watch
 *     beside   makes a call beside the watch for each message */
#include <inttypes.h>
#include <isms/api.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int words;
static char **word;

static const char *value_of(const char *key)
{
	size_t len = strlen(key);
	for (int i = 0; i < words; i++) {
		if (strncmp(word[i], key, len) == 0 && word[i][len] == '=') {
			return word[i] + len + 1;
		}
	}
	return NULL;
}

static long number_of(const char *key, long otherwise)
{
	const char *value = value_of(key);
	return value != NULL ? strtol(value, NULL, 10) : otherwise;
}

static bool is_set(const char *flag)
{
	for (int i = 0; i < words; i++) {
		if (strcmp(word[i], flag) == 0) {
			return true;
		}
	}
	return false;
}

static void put_message(const struct isms_watch *watch, const struct isms_reply *reply)
{
	const Isms__V1__WatchResponse *message = isms_watch_watch_reply(reply);
	const Isms__V1__Event *event = message != NULL ? message->event : NULL;
	printf("{\"cursor\": \"%s\", \"event\": \"%s\", \"entity\": \"%s\", \"len\": %zu}\n",
	       isms_watch_cursor(watch), event != NULL ? event->id : "",
	       event != NULL ? event->entity_id : "",
	       event != NULL ? strlen(event->actor_name) : 0);
	fflush(stdout);
}

static void put_end(const struct isms_watch *watch, const struct isms_reply *reply)
{
	printf("{\"code\": \"%s\", \"reason\": \"%s\", \"text\": \"%s\", \"cursor\": \"%s\"}\n",
	       isms_code_name(isms_reply_code(reply)), isms_reply_reason(reply),
	       isms_reply_text(reply), isms_watch_cursor(watch));
	fflush(stdout);
}

static void wait_for(struct isms_client *client)
{
	struct pollfd waiting = { .fd = isms_client_fd(client),
				  .events = isms_client_events(client) };
	poll(&waiting, 1, isms_client_timeout(client));
	isms_client_process(client);
}

static void call_beside(struct isms_client *client)
{
	Isms__V1__GetRiskRequest request = ISMS__V1__GET_RISK_REQUEST__INIT;
	struct isms_reply *reply = isms_risk_get_risk(client, &request, NULL);
	if (isms_reply_code(reply) != ISMS_OK) {
		abort();
	}
	isms_reply_free(reply);
}

/* Messages until count of them or the end. */
static void watch_all(struct isms_client *client, struct isms_watch *watch)
{
	long left = number_of("count", 1000000);
	long slow_ms = number_of("slow", 0);
	int64_t wait_ms = is_set("poll") ? 0 : number_of("wait", -1);
	const struct timespec pause = { .tv_sec = slow_ms / 1000,
					.tv_nsec = slow_ms % 1000 * 1000000 };
	while (left > 0) {
		struct isms_reply *reply = NULL;
		int rc = isms_watch_next(watch, wait_ms, &reply);
		if (rc < 0) {
			put_end(watch, reply);
			isms_reply_free(reply);
			return;
		}
		if (rc > 0) {
			put_message(watch, reply);
			nanosleep(&pause, NULL);
			left--;
		} else if (is_set("poll")) {
			wait_for(client);
		} else {
			printf("{\"nothing\": 1}\n");
			fflush(stdout);
		}
		isms_reply_free(reply);
		if (rc > 0 && is_set("beside")) {
			call_beside(client);
		}
	}
}

int main(int argc, char **argv)
{
	words = argc;
	word = argv;
	struct isms_client_options options = ISMS_CLIENT_OPTIONS_INIT;
	struct isms_watch_options watching = ISMS_WATCH_OPTIONS_INIT;
	Isms__V1__WatchRequest request = ISMS__V1__WATCH_REQUEST__INIT;
	options.address = argv[1];
	options.ca_file = value_of("ca");
	options.token = value_of("token");
	watching.quiet_ms = number_of("quiet", 0);
	watching.give_up_ms = number_of("give-up", 0);
	char *kinds[] = { (char[]){ "risk" } };
	request.n_kinds = 1;
	request.kinds = kinds;
	if (value_of("cursor") != NULL) {
		request.cursor = (char *)(uintptr_t)value_of("cursor");
	}
	const char *method = value_of("method");
	struct isms_client *client = isms_client_new(&options);
	struct isms_watch *watch =
		method == NULL ? isms_watch_watch(client, &request, &watching)
			       : isms_watch_open(client, method, &request.base,
						 &isms__v1__watch_response__descriptor, &watching);
	if (watch == NULL) {
		printf("{\"watch\": null}\n");
		isms_client_free(client);
		return 1;
	}
	watch_all(client, watch);
	if (is_set("free")) {
		isms_client_free(client);
		client = NULL;
		struct isms_reply *reply = NULL;
		isms_watch_next(watch, -1, &reply);
		put_end(watch, reply);
		isms_reply_free(reply);
	}
	isms_watch_close(watch);
	isms_client_free(client);
	return 0;
}
