/* See ask.h. What is asked lives in an arena of its own, since who asked may be
 * gone when the answer comes. */
#include "server/watch/ask.h"

#include <assert.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/log.h"
#include "server/db/db.h"
#include "server/db/query.h"
#include "server/db/rowmap.h"

enum { ASK_ARENA_MAX = 32 << 20, WHY_ARENA_MAX = 1 << 16 };

struct ask {
	TAILQ_ENTRY(ask) link;
	struct asks *asks;
	const struct statement *statement;
	struct arena *arena;
	struct db_batch batch;
	struct db_item item;
	ask_fn fn; /* NULL: forgotten */
	void (*gone)(void *arg);
	void *arg;
};

bool statement_init(struct statement *out, struct query_set *queries, const char *name,
		    const ProtobufCMessageDescriptor *params, const ProtobufCMessageDescriptor *row)
{
	struct arena *arena = arena_new(WHY_ARENA_MAX);
	const char *why = "there is no such statement";
	if (arena == NULL)
		abort();
	*out = (struct statement){ .query = query_find(queries, name) };
	if (out->query != NULL)
		out->params = parammap_new(out->query, params, arena, &why);
	if (out->params != NULL)
		out->rows = rowmap_new(out->query, row, arena, &why);
	if (out->rows == NULL)
		log_write(LOG_LEVEL_ERROR, "binding_fault", "where=%s why=%s", name, why);
	arena_free(arena);
	return out->rows != NULL;
}

void statement_done(struct statement *statement)
{
	parammap_free(statement->params);
	rowmap_free(statement->rows);
}

void asks_init(struct asks *asks, struct db *db)
{
	asks->db = db;
	TAILQ_INIT(&asks->list);
}

static void free_ask(struct ask *ask)
{
	TAILQ_REMOVE(&ask->asks->list, ask, link);
	arena_free(ask->arena);
}

void asks_done(struct asks *asks)
{
	while (!TAILQ_EMPTY(&asks->list))
		free_ask(TAILQ_FIRST(&asks->list));
}

static struct status read_rows(ProtobufCMessage ***out, size_t *out_n, const struct ask *ask)
{
	int n = rowmap_count(ask->item.result);
	ProtobufCMessage **rows = arena_array(ask->arena, ProtobufCMessage *, (size_t)n + 1);
	struct status st = STATUS_OK;
	if (rows == NULL)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "the answer of the database is too large");
	for (int i = 0; i < n && status_ok(&st); i++)
		st = rowmap_read(&rows[i], ask->statement->rows, ask->item.result, i, ask->arena);
	*out = rows;
	*out_n = (size_t)n;
	return st;
}

static void on_answer(struct db_batch *batch, const struct status *result)
{
	struct ask *ask = batch->arg;
	ProtobufCMessage **rows = NULL;
	size_t n = 0;
	struct status st = *result;
	if (ask->fn != NULL) {
		if (status_ok(&st))
			st = read_rows(&rows, &n, ask);
		if (!status_ok(&st))
			log_write(LOG_LEVEL_DEBUG, "watch_read_failed", "query=%s reason=%s",
				  ask->statement->query->name, st.reason != NULL ? st.reason : "");
		ask->fn(ask->arg, &st, rows, status_ok(&st) ? n : 0);
	} else if (ask->gone != NULL) {
		ask->gone(ask->arg);
	}
	free_ask(ask);
}

struct ask *ask_start(struct asks *asks, const struct statement *statement,
		      const ProtobufCMessage *message, const struct query_args *args, ask_fn fn,
		      void *arg)
{
	struct arena *arena = arena_new(ASK_ARENA_MAX);
	struct ask *ask = arena == NULL ? NULL : arena_new_of(arena, struct ask);
	if (ask == NULL)
		abort();
	*ask = (struct ask){
		.asks = asks, .statement = statement, .arena = arena, .fn = fn, .arg = arg
	};
	ask->item.query = statement->query;
	ask->batch = (struct db_batch){ .items = &ask->item,
					.n = 1,
					.class = statement->query->class,
					.arena = arena,
					.done = on_answer,
					.arg = ask };
	struct status st = parammap_write(statement->params, message, args, arena, ask->item.values,
					  ask->item.lengths);
	assert(status_ok(&st)); /* all of it is ours */
	TAILQ_INSERT_TAIL(&asks->list, ask, link);
	db_submit(asks->db, &ask->batch);
	return ask;
}

void ask_forget(struct ask *ask, void (*gone)(void *arg), void *arg)
{
	ask->fn = NULL;
	ask->gone = gone;
	ask->arg = arg;
}

int64_t ask_sent_us(const struct ask *ask)
{
	return ask->batch.sent_us;
}
