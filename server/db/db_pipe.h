/* The inside of a db: pools of connections, one connection each a pipe, and
 * queues of batches. A batch is in exactly one place: the queue of its class, a
 * pipe, or the list of those to be answered. */
#ifndef ISMS_DB_DB_PIPE_H
#define ISMS_DB_DB_PIPE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/db/db.h"
#include "server/db/db_batch.h"

struct event;

enum {
	DB_SHARE_MAX = 64,       /* statements of one Sync, unless one batch has more */
	DB_CONNECTIONS_MAX = 64, /* of one class */
};

enum db_pipe_state {
	DB_PIPE_WAITING, /* for the time of the next attempt */
	DB_PIPE_CONNECTING,
	DB_PIPE_PREPARING,
	DB_PIPE_IDLE,
	DB_PIPE_BUSY, /* batches were sent; their Sync has not come back */
};

struct db_pool;

struct db_pipe {
	struct db_pool *pool;
	enum db_pipe_state state;
	PGconn *conn;
	struct event *readable, *writable, *timer;
	unsigned failures; /* attempts to connect since it was last up */
	int64_t active_us; /* when bytes last came or went */
	/* BUSY */
	struct db_list sent;
	struct db_batch *current; /* whose results come next; NULL: the Sync's */
	bool answered;            /* the statement has its result, its end is due */
	bool synced;              /* the Sync was handed to libpq */
	bool local_only;          /* committed, but not on the standby */
	struct db_batch *guilty;  /* whose statement failed */
	struct status failure;
	bool stale, fatal; /* of the failure, see pgerr.h */
	/* PREPARING */
	const char *prepare_fault;
	unsigned syncs; /* that have not come back */
};

struct db_pool {
	struct db *db;
	enum query_class class;
	char *options;
	struct db_pipe *pipes;
	int n_pipes;
	struct db_list queue;
};

struct db {
	struct event_base *base;
	struct query_set *queries;
	struct db_settings settings;
	char *conninfo;
	unsigned n_hosts; /* that it names */
	struct db_pool pools[QUERY_CLASSES];
	struct db_list busy, large; /* to be refused: full queue, no memory */
	struct event *again;        /* runs db_flush in the next turn */
};

/* Starts to connect; afterwards the pipe keeps itself connected. -1 when out of
 * memory. */
int db_pipe_open(struct db_pipe *pipe, struct db_pool *pool);
/* What it has in flight is dropped. */
void db_pipe_close(struct db_pipe *pipe);
/* Sends the batches with one Sync; the pipe must be idle. */
void db_pipe_send(struct db_pipe *pipe, const struct db_list *batches);

/* Up, or not yet refused by every host since it was: worth waiting for. */
bool db_pipe_hopeful(const struct db_pipe *pipe);
bool db_pipe_up(const struct db_pipe *pipe);

#endif
