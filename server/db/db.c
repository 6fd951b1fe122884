/* Queues in front of the pipes: at the end of a loop turn each idle connection
 * takes its share. Reads of many calls share a Sync; a commit has its own. */
#include "server/db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "server/db/db_connect.h"
#include "server/db/db_pipe.h"

static const int64_t DOWN_RETRY_US = 1000000, FULL_RETRY_US = 200000;

static void refuse_large(struct db_batch *batch)
{
	struct status st = status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "CALL_TOO_LARGE",
				       "the call needs more memory than it may have");
	db_batch_done(batch, &st);
}

static void refuse(struct db_batch *batch, const char *reason, const char *message,
		   int64_t retry_us)
{
	struct status st = status_make(STATUS_CODE_UNAVAILABLE, reason, message);
	status_set_retry(&st, batch->arena, retry_us);
	db_batch_done(batch, &st);
}

static bool hopeful(const struct db_pool *pool)
{
	for (int i = 0; i < pool->n_pipes; i++)
		if (db_pipe_hopeful(&pool->pipes[i]))
			return true;
	return false;
}

static size_t idle_pipes(const struct db_pool *pool)
{
	size_t n = 0;
	for (int i = 0; i < pool->n_pipes; i++)
		n += pool->pipes[i].state == DB_PIPE_IDLE;
	return n;
}

/* What one connection takes: whole batches up to its share, or one alone. */
static struct db_list take_share(struct db_pool *pool, size_t share)
{
	struct db_list taken = { 0 };
	bool alone = pool->class == QUERY_COMMIT || pool->queue.first->retried;
	do {
		db_list_add(&taken, db_list_take(&pool->queue));
	} while (!alone && pool->queue.first != NULL && !pool->queue.first->retried &&
		 taken.statements + pool->queue.first->n <= share);
	return taken;
}

static void flush_pool(struct db_pool *pool)
{
	if (pool->queue.first == NULL)
		return;
	if (!hopeful(pool)) {
		struct db_list list = pool->queue;
		struct db_batch *batch;
		pool->queue = (struct db_list){ 0 };
		while ((batch = db_list_take(&list)) != NULL)
			refuse(batch, "DATABASE_UNAVAILABLE", "the database cannot be reached",
			       DOWN_RETRY_US);
		return;
	}
	size_t idle = idle_pipes(pool);
	size_t share = idle == 0 ? 0 : (pool->queue.statements + idle - 1) / idle;
	if (share > DB_SHARE_MAX)
		share = DB_SHARE_MAX;
	for (int i = 0; i < pool->n_pipes && pool->queue.first != NULL; i++) {
		if (pool->pipes[i].state != DB_PIPE_IDLE)
			continue;
		struct db_list taken = take_share(pool, share);
		db_pipe_send(&pool->pipes[i], &taken);
	}
}

void db_flush(struct db *db)
{
	struct db_list busy = db->busy, large = db->large;
	struct db_batch *batch;
	db->busy = db->large = (struct db_list){ 0 };
	while ((batch = db_list_take(&busy)) != NULL)
		refuse(batch, "DATABASE_BUSY", "too many calls wait for the database",
		       FULL_RETRY_US);
	while ((batch = db_list_take(&large)) != NULL)
		refuse_large(batch);
	for (int i = 0; i < QUERY_CLASSES; i++)
		flush_pool(&db->pools[i]);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	db_flush(arg);
}

void db_submit(struct db *db, struct db_batch *batch)
{
	struct db_pool *pool = &db->pools[batch->class];
	assert(batch->n > 0 && batch->n <= DB_BATCH_MAX);
	batch->retried = batch->outcome_unknown = false;
	batch->sent_us = 0;
	if (!db_batch_begin(batch))
		db_list_add(&db->large, batch);
	else if (pool->queue.n >= db->settings.queue_max)
		db_list_add(&db->busy, batch);
	else
		db_list_add(&pool->queue, batch);
	if (db->busy.n + db->large.n > 0 || !hopeful(pool))
		event_active(db->again, EV_TIMEOUT, 0);
}

bool db_ready(const struct db *db)
{
	for (int i = 0; i < QUERY_CLASSES; i++) {
		const struct db_pool *pool = &db->pools[i];
		bool up = false;
		for (int j = 0; j < pool->n_pipes; j++)
			up = up || db_pipe_up(&pool->pipes[j]);
		if (!up)
			return false;
	}
	return true;
}

static int open_pool(struct db *db, enum query_class class)
{
	struct db_pool *pool = &db->pools[class];
	int n = db->settings.connections[class];
	assert(n > 0 && n <= DB_CONNECTIONS_MAX);
	*pool = (struct db_pool){ .db = db, .class = class };
	pool->options = db_connect_options(db->conninfo, db->settings.statement_timeout_us[class],
					   class != QUERY_COMMIT);
	pool->pipes = calloc((size_t)n, sizeof(*pool->pipes));
	if (pool->options == NULL || pool->pipes == NULL)
		return -1;
	for (; pool->n_pipes < n; pool->n_pipes++)
		if (db_pipe_open(&pool->pipes[pool->n_pipes], pool) != 0)
			return -1;
	return 0;
}

struct db *db_new(struct event_base *base, struct query_set *queries,
		  const struct db_settings *settings)
{
	struct db *db = calloc(1, sizeof(*db));
	if (db == NULL)
		return NULL;
	db->base = base;
	db->queries = queries;
	db->settings = *settings;
	db->conninfo = strdup(settings->conninfo);
	db->settings.conninfo = db->conninfo;
	db->n_hosts = db->conninfo != NULL ? db_connect_hosts(db->conninfo) : 1;
	db->again = event_new(base, -1, 0, on_again, db);
	bool opened = db->conninfo != NULL && db->again != NULL;
	for (int i = 0; opened && i < QUERY_CLASSES; i++)
		opened = open_pool(db, (enum query_class)i) == 0;
	if (opened)
		return db;
	db_free(db);
	return NULL;
}

void db_free(struct db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < QUERY_CLASSES; i++) {
		struct db_pool *pool = &db->pools[i];
		for (int j = 0; j < pool->n_pipes; j++)
			db_pipe_close(&pool->pipes[j]);
		free(pool->pipes);
		free(pool->options);
	}
	if (db->again != NULL)
		event_free(db->again);
	free(db->conninfo);
	free(db);
}
