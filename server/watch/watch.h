/* WatchService/Watch: streams of announcements, see proto/isms/v1/watch.proto.
 *
 * One reader follows the log of announcements for all streams of the worker, while
 * there are any, and keeps the latest in a ring. Streams are sent what passes their
 * filter and their rights, from the ring; one that is behind it catches up with
 * reads of its own. What waits for a client is at most WATCH_QUEUE_MAX; who takes
 * none of it for a while is sent away, to resume where he was.
 *
 * Memory of a worker at the most: 8 MiB for the ring, 4,096 announcements of up to
 * 2 KiB; 64 MiB of queues, for 1,024 streams; 12 MiB for their rights; and 32 MiB for
 * each answer of the database that is being looked at, of which there are at most seven
 * (WATCH_MISSED_READS_MAX that catch up, one each for the ring, for rights and for who
 * holds back). */
#ifndef ISMS_WATCH_WATCH_H
#define ISMS_WATCH_WATCH_H

#include <stdbool.h>

enum {
	WATCH_STREAMS_MAX = 1024,    /* of a worker */
	WATCH_ACCOUNT_MAX = 32,      /* of these, of one account */
	WATCH_QUEUE_MAX = 64 * 1024, /* bytes that wait for a client, before one more */
	WATCH_SLOW_US = 10 * 1000000,
	WATCH_PROGRESS_US = 3 * 1000000,
	WATCH_SILENCE_US = 30 * 1000000, /* of the database */
	WATCH_KEPT_US = 60 * 1000000,    /* the ring outlives the last stream by */
	WATCH_BACK_TX = 4096,            /* and begins so many transactions back */
	WATCH_FOLLOW_MAX = 1000,         /* rows of one read */
	WATCH_MISSED_MAX = 500,
	WATCH_MISSED_READS_MAX = 4, /* at once */
};

struct db;
struct engine;
struct event_base;
struct query_set;
struct route;
struct watch;

/* Binds the room's statements to the described queries; a mismatch is logged and
 * NULL. base, engine and db outlive it, but the db is freed first; all three NULL:
 * only checks. Yours. */
struct watch *watch_new(struct event_base *base, struct engine *engine, struct db *db,
			struct query_set *queries);
/* The worker was freed before. */
void watch_free(struct watch *watch);

/* Its one route, for the worker; borrowed. */
const struct route *watch_route(const struct watch *watch);

#endif
