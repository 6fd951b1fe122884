/* Shared pipelined connections to PostgreSQL, in three classes so that none
 * delays another. One db a worker, driven by its event loop.
 *
 * This is the only room with libpq, and its headers that other rooms include do
 * not bring libpq along: a result is told by rowmap.h. */
#ifndef ISMS_DB_DB_H
#define ISMS_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "server/db/query.h"

struct arena;
struct db;
struct event_base;
struct pg_result; /* libpq's PGresult */

enum { DB_BATCH_MAX = 7168 };

struct db_settings {
	const char *conninfo; /* libpq connection string of the server's role */
	int connections[QUERY_CLASSES];
	int64_t statement_timeout_us[QUERY_CLASSES];
	size_t queue_max; /* batches waiting per class; beyond: UNAVAILABLE */
};

/* One statement of a batch. */
struct db_item {
	const struct query *query;
	const char *values[QUERY_PARAMS_MAX];
	int lengths[QUERY_PARAMS_MAX];
	struct pg_result *result; /* set when done; owned by the batch's arena */
};

struct db_batch;
/* st is OK and every item has its result, or st says what failed (from SQLSTATE
 * and constraint, see pgerr.h) and no result may be used. */
typedef void (*db_done_fn)(struct db_batch *batch, const struct status *st);

/* Statements that are sent together. QUERY_POINT and QUERY_LIST: reads, which
 * may share a Sync with other batches; each sees at least what was committed
 * before it was submitted. QUERY_COMMIT: one implicit transaction of its own. */
struct db_batch {
	struct db_item *items; /* in the arena */
	size_t n;
	enum query_class class;
	struct arena *arena;
	db_done_fn done; /* exactly once, never from within db_submit */
	void *arg;
	/* Set before done: QUERY_COMMIT whose connection was lost after sending:
	 * st is UNKNOWN, reason OUTCOME_UNKNOWN. */
	bool outcome_unknown;
	/* Likewise: when it was sent, the last time, by the monotonic clock; 0: never. */
	int64_t sent_us;
	/* for db.c */
	struct db_batch *next;
	size_t received;
	bool retried;
};

/* Parses and checks the settings; no connection yet. NULL when out of memory.
 * queries is filled with types by the first connection. Yours. */
struct db *db_new(struct event_base *base, struct query_set *queries,
		  const struct db_settings *settings);
/* Batches that wait or are in flight are dropped: their done does not run, and
 * their memory is not looked at. */
void db_free(struct db *db);

/* Connects, blocking, and prepares and describes every statement once: fills the
 * types of the query set. Checks schema version and server settings
 * (db_check_server). For start-up and --check. */
STATUS_MUST_CHECK struct status db_describe(struct query_set *queries, const char *conninfo,
					    struct arena *arena);

/* Queues a batch, which must live until done runs; never fails: with no
 * connection, or a full queue, done gets UNAVAILABLE with a retry delay. */
void db_submit(struct db *db, struct db_batch *batch);

/* Whether some connection of each class is up. */
bool db_ready(const struct db *db);

/* End of the loop turn: sends what was queued. */
void db_flush(struct db *db);

#endif
