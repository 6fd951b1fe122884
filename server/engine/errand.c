/* What the engine asks the database for by itself, beside all calls: what is due, that
 * old keys of idempotency go, each under way at most once; and that sessions were used. */
#include "server/engine/call.h"

#include <assert.h>
#include <stdlib.h>

#include "common/pb.h"
#include "isms/store/v1/clock.pb-c.h"

enum { ERRAND_ARENA = 1 << 20, PURGED_AT_ONCE = 1000 };

struct errand {
	TAILQ_ENTRY(errand) link;
	struct engine *engine;
	struct errand **place; /* in the engine; NULL: there may be several */
	const struct binding *binding;
	struct arena *arena;
	struct db_item item;
	struct db_batch batch;
	engine_due_fn fn;
	void *arg;
};

/* Its parameters are for the caller to fill in before errand_send. */
static struct errand *errand_new(struct engine *engine, const struct binding *binding,
				 db_done_fn done)
{
	struct arena *arena = arena_new(ERRAND_ARENA);
	struct errand *errand = arena == NULL ? NULL : arena_new_of(arena, struct errand);
	if (errand == NULL)
		abort();
	*errand = (struct errand){
		.engine = engine,
		.binding = binding,
		.arena = arena,
		.item = { .query = binding->query },
	};
	errand->batch = (struct db_batch){
		.items = &errand->item,
		.n = 1,
		.class = binding->query->class,
		.arena = arena,
		.done = done,
		.arg = errand,
	};
	TAILQ_INSERT_TAIL(&engine->errands, errand, link);
	return errand;
}

static void set_params(struct errand *errand, const ProtobufCMessage *message,
		       const struct query_args *args)
{
	struct status st = parammap_write(errand->binding->params, message, args, errand->arena,
					  errand->item.values, errand->item.lengths);
	assert(status_ok(&st)); /* all of it is ours */
}

static void errand_send(struct errand *errand)
{
	db_submit(errand->engine->db, &errand->batch);
}

static void take_place(struct errand *errand, struct errand **place)
{
	assert(*place == NULL);
	errand->place = place;
	*place = errand;
}

static void errand_free(struct errand *errand)
{
	if (errand->place != NULL)
		*errand->place = NULL;
	TAILQ_REMOVE(&errand->engine->errands, errand, link);
	arena_free(errand->arena);
}

void errands_free(struct engine *engine)
{
	while (!TAILQ_EMPTY(&engine->errands))
		errand_free(TAILQ_FIRST(&engine->errands));
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
	if (engine->purge != NULL)
		return;
	struct errand *errand =
		errand_new(engine, &engine->registry->engine.clock_purge, on_purged);
	take_place(errand, &engine->purge);
	errand_send(errand);
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

void engine_due(struct engine *engine, char *const *skip_ids, size_t n_skip_ids, engine_due_fn fn,
		void *arg)
{
	Isms__Store__V1__ClockLook look = ISMS__STORE__V1__CLOCK_LOOK__INIT;
	const struct query_args args = { 0 };
	struct errand *errand = errand_new(engine, &engine->registry->engine.clock_due, on_due);
	look.skip_ids = (char **)skip_ids;
	look.n_skip_ids = n_skip_ids;
	set_params(errand, &look.base, &args);
	errand->fn = fn;
	errand->arg = arg;
	take_place(errand, &engine->due);
	errand_send(errand);
	purge(engine);
}

/* --- sessions --------------------------------------------------------------- */

static void on_touched(struct db_batch *batch, const struct status *st)
{
	(void)st; /* the next use tries again */
	errand_free(batch->arg);
}

void errand_touch(struct engine *engine, const Isms__Store__V1__Principal *principal)
{
	const struct query_args args = { .org = principal->org_id,
					 .actor = principal->user_id,
					 .session = principal->session_id };
	struct errand *errand =
		errand_new(engine, &engine->registry->engine.session_touch, on_touched);
	set_params(errand, &principal->base, &args);
	errand_send(errand);
}
