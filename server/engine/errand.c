/* What the engine asks the database for by itself, beside all calls: what is due,
 * and that old keys of idempotency go. Each is under way at most once. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>

#include "common/pb.h"
#include "isms/store/v1/clock.pb-c.h"

enum { ERRAND_ARENA = 1 << 20, PURGED_AT_ONCE = 1000 };

struct errand {
	struct engine *engine;
	struct errand **place; /* in the engine */
	const struct binding *binding;
	struct arena *arena;
	struct db_item item;
	struct db_batch batch;
	engine_due_fn fn;
	void *arg;
};

static void submit(struct engine *engine, struct errand **place, const struct binding *binding,
		   db_done_fn done, engine_due_fn fn, void *arg)
{
	struct arena *arena = arena_new(ERRAND_ARENA);
	struct errand *errand = arena == NULL ? NULL : arena_new_of(arena, struct errand);
	if (errand == NULL)
		abort();
	*errand = (struct errand){
		.engine = engine,
		.place = place,
		.binding = binding,
		.arena = arena,
		.item = { .query = binding->query },
		.fn = fn,
		.arg = arg,
	};
	errand->batch = (struct db_batch){
		.items = &errand->item,
		.n = 1,
		.class = binding->query->class,
		.arena = arena,
		.done = done,
		.arg = errand,
	};
	*place = errand;
	db_submit(engine->db, &errand->batch);
}

void errand_free(struct errand *errand)
{
	if (errand == NULL)
		return;
	*errand->place = NULL;
	arena_free(errand->arena);
}

/* --- keys ------------------------------------------------------------------- */

static void purge(struct engine *engine);

static void on_purged(struct db_batch *batch, const struct status *result)
{
	struct errand *errand = batch->arg;
	struct engine *engine = errand->engine;
	struct status st = *result;
	const ProtobufCMessage *row = NULL;
	if (status_ok(&st))
		row = row_first(&st, errand->binding, &errand->item, errand->arena);
	bool more = row != NULL && pb_int(row, "purged") >= PURGED_AT_ONCE;
	errand_free(errand);
	if (more)
		purge(engine);
}

static void purge(struct engine *engine)
{
	if (engine->purge == NULL)
		submit(engine, &engine->purge, &engine->registry->engine.clock_purge, on_purged,
		       NULL, NULL);
}

/* --- what is due ------------------------------------------------------------ */

static void on_due(struct db_batch *batch, const struct status *result)
{
	struct errand *errand = batch->arg;
	struct status st = *result;
	struct fact_set set = { 0 };
	if (status_ok(&st))
		st = rows_read(&set, errand->binding, &errand->item, errand->arena);
	const struct engine_due due = { (const void *)set.rows, set.n };
	errand->fn(errand->arg, &st, status_ok(&st) ? &due : NULL);
	errand_free(errand);
}

void engine_due(struct engine *engine, engine_due_fn fn, void *arg)
{
	assert(engine->due == NULL);
	submit(engine, &engine->due, &engine->registry->engine.clock_due, on_due, fn, arg);
	purge(engine);
}
