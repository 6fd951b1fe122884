/* For whom the streams are: one entry a session, shared by its streams, with what
 * its account may be told. An entry counts for a second from when the database was asked
 * for it, or for a moment after an answer that took longer;
 * only those that something is to be told to, or that were not looked at for a few
 * seconds, are asked for again, several with one statement. */
#ifndef ISMS_WATCH_VIEWER_H
#define ISMS_WATCH_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/uuid.h"
#include "server/watch/ask.h"

struct notice;

enum {
	VIEWER_FRESH_US = 1000000,
	VIEWER_LOOK_US = 3000000, /* looked at again also when there is nothing to tell */
	VIEWER_GRANTS_MAX = 512,
	VIEWER_ASK_MAX = 16, /* entries of one statement */
};

enum viewer_state {
	VIEWER_VALID,
	VIEWER_ENDED,    /* session or account is no longer valid */
	VIEWER_TOO_MANY, /* grants */
};

struct viewer_grant {
	uint8_t scope[UUID_BYTES];
	uint64_t kinds;
};

struct viewer {
	TAILQ_ENTRY(viewer) link;
	struct viewers *viewers;
	unsigned refs;
	enum viewer_state state;
	char org_id[UUID_TEXT], session_id[UUID_TEXT];
	int64_t asked_us;    /* of the latest answer; or when it was made */
	int64_t fresh_until; /* 0: never asked for */
	bool wanted;         /* since the latest answer */
	bool asking;
	uint64_t anywhere; /* kinds that belong to no scope */
	size_t n_grants;
	struct viewer_grant *grants;
};

TAILQ_HEAD(viewer_list, viewer);

struct viewers {
	struct asks *asks;
	const struct statement *statement;
	void (*changed)(void *arg); /* some have been asked for: look at all */
	void *arg;
	struct viewer_list list; /* at most one a stream; who was asked for longest ago first */
	struct ask *ask;
	int64_t asked_us; /* of ask */
	struct viewer *batch[VIEWER_ASK_MAX];
	size_t n_batch;
};

void viewers_init(struct viewers *viewers, struct asks *asks, const struct statement *statement,
		  void (*changed)(void *arg), void *arg);
/* All must have been put back. */
void viewers_done(struct viewers *viewers);

/* To be put back with viewer_put. */
struct viewer *viewer_get(struct viewers *viewers, const char *org_id, const char *session_id,
			  int64_t now_us);
void viewer_put(struct viewer *viewer);

/* Asks for those that are due, unless an answer is being waited for. */
void viewers_look(struct viewers *viewers, int64_t now_us);

/* Whether it counts now; else it is asked for by the next look. */
bool viewer_fresh(struct viewer *viewer, int64_t now_us);
/* Whether it may be told of a notice of its organisation. */
bool viewer_may(const struct viewer *viewer, const struct notice *notice);

#endif
