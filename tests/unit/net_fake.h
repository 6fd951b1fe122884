/* A stand-in for the engine, so that the wire can be tested without a database.
 * Methods of test.v1.Fake, whose messages are plain text:
 *   Echo    replies with the message, before engine_call_start returns
 *   Big     replies with as many bytes as the message says
 *   Fail    INVALID_ARGUMENT with a violation, a fact and a retry delay
 *   Many    INVALID_ARGUMENT with more details than a client would take
 *   Delay   replies "done" after as many milliseconds as the message says, or
 *           DEADLINE_EXCEEDED, reason ENGINE_DEADLINE, when that comes first
 *   Whoami  replies with authorization, a blank and the peer's address
 *   Counts  replies with "calls cancels in-flight", itself not counted */
#ifndef ISMS_TESTS_NET_FAKE_H
#define ISMS_TESTS_NET_FAKE_H

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/mono.h"
#include "server/engine/engine.h"

struct engine {
	struct event_base *base;
	bool serving;
	size_t calls, cancels, in_flight;
};

struct engine_call {
	struct engine *engine;
	struct event *timer;
	engine_reply_fn reply;
	void *arg;
	bool late;
};

static struct engine fake_engine = { .serving = true };

void engine_flush(struct engine *engine)
{
	(void)engine;
}

bool engine_knows(const struct engine *engine, const char *path)
{
	static const char *const names[] = { "Echo",  "Big",    "Fail",   "Many",
					     "Delay", "Whoami", "Counts", "Serving" };
	(void)engine;
	if (strncmp(path, "/test.v1.Fake/", 14) != 0)
		return strncmp(path, "/isms.v1.", 9) == 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(path + 14, names[i]) == 0)
			return true;
	}
	return false;
}

static void fake_reply_text(engine_reply_fn reply, void *arg, const char *text)
{
	struct status ok = STATUS_OK;
	reply(arg, &ok, (const uint8_t *)text, strlen(text));
}

static void fake_fail(engine_reply_fn reply, void *arg, unsigned violations)
{
	struct arena *arena = arena_new(1 << 20);
	struct status st = status_invalid(arena, "fields.title", "must not be empty");
	st.message = "100 % wrong \xc3\xa9";
	for (unsigned i = 0; i < violations; i++)
		status_add_violation(&st, arena, arena_printf(arena, "f%0300u", i),
				     arena_printf(arena, "d%0300u", i));
	status_add_pair(&st, arena, "kind", "risk");
	status_set_retry(&st, arena, 1500000);
	reply(arg, &st, NULL, 0);
	arena_free(arena);
}

static void fake_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct engine_call *call = arg;
	struct status late =
		status_make(STATUS_CODE_DEADLINE_EXCEEDED, "ENGINE_DEADLINE", "too late");
	call->engine->in_flight--;
	if (call->late)
		call->reply(call->arg, &late, NULL, 0);
	else
		fake_reply_text(call->reply, call->arg, "done");
	event_free(call->timer);
	free(call);
}

static struct engine_call *fake_delay(struct engine *engine, const struct engine_request *request,
				      int64_t us, engine_reply_fn reply, void *arg)
{
	struct engine_call *call = calloc(1, sizeof(*call));
	int64_t left = request->deadline_us - mono_us();
	*call = (struct engine_call){ .engine = engine, .reply = reply, .arg = arg };
	if (request->deadline_us != 0 && left < us) {
		call->late = true;
		us = left > 0 ? left : 0;
	}
	struct timeval tv = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
	call->timer = evtimer_new(engine->base, fake_timer, call);
	evtimer_add(call->timer, &tv);
	engine->in_flight++;
	return call;
}

static void fake_text(struct engine *engine, const struct engine_request *request, const char *name,
		      engine_reply_fn reply, void *arg)
{
	char text[512];
	if (strcmp(name, "Whoami") == 0) {
		snprintf(text, sizeof(text), "%s %s",
			 request->authorization != NULL ? request->authorization : "-",
			 request->peer);
	} else {
		snprintf(text, sizeof(text), "%zu %zu %zu", engine->calls, engine->cancels,
			 engine->in_flight);
	}
	fake_reply_text(reply, arg, text);
}

struct engine_call *engine_call_start(struct engine *engine, const struct engine_request *request,
				      engine_reply_fn reply, void *arg)
{
	const char *name = request->path + 14;
	char number[16] = "";
	struct status ok = STATUS_OK;
	memcpy(number, request->message, request->len < 15 ? request->len : 15);
	long n = strtol(number, NULL, 10);
	engine->calls += strcmp(name, "Counts") != 0;
	if (strcmp(name, "Echo") == 0) {
		reply(arg, &ok, request->message, request->len);
	} else if (strcmp(name, "Big") == 0) {
		uint8_t *data = calloc(1, (size_t)n + 1);
		memset(data, 'b', (size_t)n);
		reply(arg, &ok, data, (size_t)n);
		free(data);
	} else if (strcmp(name, "Fail") == 0) {
		fake_fail(reply, arg, 0);
	} else if (strcmp(name, "Many") == 0) {
		fake_fail(reply, arg, 15);
	} else if (strcmp(name, "Delay") == 0) {
		return fake_delay(engine, request, n * 1000, reply, arg);
	} else if (strcmp(name, "Serving") == 0) {
		engine->serving = n != 0;
		reply(arg, &ok, NULL, 0);
	} else {
		fake_text(engine, request, name, reply, arg);
	}
	return NULL;
}

void engine_call_cancel(struct engine_call *call)
{
	call->engine->cancels++;
	call->engine->in_flight--;
	event_free(call->timer);
	free(call);
}

bool engine_serving(const struct engine *engine)
{
	return engine->serving;
}

size_t engine_in_flight(const struct engine *engine)
{
	return engine->in_flight;
}

#endif
