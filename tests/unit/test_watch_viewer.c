/* The order in which viewers are asked for, and how many grants they may have. Stands
 * in for ask.c: what is asked is only counted, and answered when a test says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mono.h"
#include "isms/store/v1/watch.pb-c.h"
#include "server/watch/viewer.h"
#include "tests/unit/tap.h"

#define ORG "11111111-1111-7111-8111-111111111111"

enum { VIEWERS = 64, ROWS_MAX = 1024 };

static struct {
	ask_fn fn;
	void *arg;
	int64_t now_us, sent_us;
	size_t n;
	char sessions[VIEWER_ASK_MAX][UUID_TEXT];
} asked;

struct ask *ask_start(struct asks *asks, const struct statement *statement,
		      const ProtobufCMessage *message, const struct query_args *args, ask_fn fn,
		      void *arg)
{
	const Isms__Store__V1__WatchSessions *sessions = (const void *)message;
	(void)asks;
	(void)statement;
	(void)args;
	asked.fn = fn;
	asked.arg = arg;
	asked.sent_us = asked.now_us;
	asked.n = sessions->n_session_ids;
	for (size_t i = 0; i < asked.n; i++)
		snprintf(asked.sessions[i], UUID_TEXT, "%s", sessions->session_ids[i]);
	return (struct ask *)(void *)&asked;
}

void ask_forget(struct ask *ask, void (*gone)(void *arg), void *arg)
{
	(void)ask;
	(void)gone;
	(void)arg;
	asked.fn = NULL;
}

int64_t ask_sent_us(const struct ask *ask)
{
	(void)ask;
	return asked.sent_us;
}

int64_t mono_us(void)
{
	return asked.now_us;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void session_id(char out[UUID_TEXT], size_t i)
{
	snprintf(out, UUID_TEXT, "22222222-2222-7222-8222-%012zu", i);
}

/* Each session that was asked for has so many grants that let risks be read, and after
 * them so many that let nothing be read. */
static void answer(size_t useful, size_t useless)
{
	static Isms__Store__V1__WatchGrant grants[ROWS_MAX];
	static ProtobufCMessage *rows[ROWS_MAX];
	static char *permissions[] = { (char *)"risk.read" };
	struct status st = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < asked.n; i++) {
		for (size_t j = 0; j < useful + useless && n < ROWS_MAX; j++, n++) {
			isms__store__v1__watch_grant__init(&grants[n]);
			grants[n].session_id = asked.sessions[i];
			grants[n].scope_id = (char *)ORG;
			grants[n].permissions = permissions;
			grants[n].n_permissions = j < useful ? 1 : 0;
			rows[n] = &grants[n].base;
		}
	}
	ask_fn fn = asked.fn;
	asked.fn = NULL;
	fn(asked.arg, &st, rows, n);
}

TEST(nobody_is_forgotten_while_all_want_to_be_asked_for)
{
	struct viewers viewers;
	struct viewer *all[VIEWERS];
	bool looked[VIEWERS] = { false };
	asked.now_us = 1000000;
	viewers_init(&viewers, NULL, NULL, nothing, NULL);
	for (size_t i = 0; i < VIEWERS; i++) {
		char session[UUID_TEXT];
		session_id(session, i);
		all[i] = viewer_get(&viewers, ORG, session, asked.now_us);
	}
	/* An answer takes so long that the first want to be asked for again by then. */
	for (size_t round = 0; round < 2 * VIEWERS / VIEWER_ASK_MAX; round++) {
		viewers_look(&viewers, asked.now_us);
		asked.now_us += VIEWER_FRESH_US;
		answer(1, 0);
		for (size_t i = 0; i < VIEWERS; i++)
			(void)viewer_fresh(all[i], asked.now_us);
	}
	for (size_t i = 0; i < VIEWERS; i++)
		looked[i] = all[i]->fresh_until != 0;
	for (size_t i = 0; i < VIEWERS; i++) {
		CHECK(looked[i]);
		viewer_put(all[i]);
	}
	viewers_done(&viewers);
}

TEST(rights_count_from_when_the_database_was_asked)
{
	struct viewers viewers;
	char session[UUID_TEXT];
	session_id(session, 1);
	viewers_init(&viewers, NULL, NULL, nothing, NULL);
	struct viewer *viewer = viewer_get(&viewers, ORG, session, asked.now_us);
	viewers_look(&viewers, asked.now_us);
	/* It waits for a connection, and is then answered quickly. */
	asked.sent_us = asked.now_us += 3 * VIEWER_FRESH_US;
	asked.now_us += VIEWER_FRESH_US / 2;
	answer(1, 0);
	CHECK(viewer_fresh(viewer, asked.sent_us + VIEWER_FRESH_US - 1));
	CHECK(!viewer_fresh(viewer, asked.sent_us + VIEWER_FRESH_US));
	viewer_put(viewer);
	viewers_done(&viewers);
}

TEST(grants_are_too_many_also_when_some_let_nothing_be_read)
{
	struct viewers viewers;
	char session[UUID_TEXT];
	session_id(session, 1);
	viewers_init(&viewers, NULL, NULL, nothing, NULL);
	struct viewer *viewer = viewer_get(&viewers, ORG, session, asked.now_us);
	viewers_look(&viewers, asked.now_us);
	answer(VIEWER_GRANTS_MAX - 1, 1);
	CHECK_INT(viewer->state, VIEWER_VALID);
	CHECK_INT((int)viewer->n_grants, VIEWER_GRANTS_MAX - 1);
	asked.now_us += VIEWER_LOOK_US;
	viewers_look(&viewers, asked.now_us);
	answer(VIEWER_GRANTS_MAX - 2, 3);
	CHECK_INT(viewer->state, VIEWER_TOO_MANY);
	viewer_put(viewer);
	viewers_done(&viewers);
}

TAP_MAIN
