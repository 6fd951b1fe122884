/* One statement at the database, with its rows as messages. */
#ifndef ISMS_WATCH_ASK_H
#define ISMS_WATCH_ASK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/status.h"

struct ask;
struct db;
struct parammap;
struct query;
struct query_args;
struct query_set;
struct rowmap;

TAILQ_HEAD(ask_list, ask);

/* Those that are in flight; at most as many as their askers have at once. */
struct asks {
	struct db *db;
	struct ask_list list;
};

struct statement {
	const struct query *query;
	struct parammap *params;
	struct rowmap *rows;
};

/* Binds; a mismatch is logged and false. Undone by statement_done, also then. */
bool statement_init(struct statement *out, struct query_set *queries, const char *name,
		    const ProtobufCMessageDescriptor *params,
		    const ProtobufCMessageDescriptor *row);
void statement_done(struct statement *statement);

/* Exactly once, unless forgotten. rows are borrowed for the time of the function;
 * none unless st is OK. */
typedef void (*ask_fn)(void *arg, const struct status *st, ProtobufCMessage *const *rows, size_t n);

void asks_init(struct asks *asks, struct db *db);
/* After the db was freed. */
void asks_done(struct asks *asks);

/* message and args are borrowed for the time of the function. The result is for
 * ask_forget, until fn runs. */
struct ask *ask_start(struct asks *asks, const struct statement *statement,
		      const ProtobufCMessage *message, const struct query_args *args, ask_fn fn,
		      void *arg);
/* fn will not run; instead gone will, unless NULL: the database has it in hand no more. */
void ask_forget(struct ask *ask, void (*gone)(void *arg), void *arg);
/* While fn runs: when it went to the database, by the monotonic clock. */
int64_t ask_sent_us(const struct ask *ask);

#endif
