/* See db_batch.h. */
#include "server/db/db_batch.h"

#include <libpq-fe.h>

#include "common/arena.h"

void db_list_add(struct db_list *list, struct db_batch *batch)
{
	batch->next = NULL;
	if (list->last == NULL)
		list->first = batch;
	else
		list->last->next = batch;
	list->last = batch;
	list->n++;
	list->statements += batch->n;
}

void db_list_add_first(struct db_list *list, struct db_batch *batch)
{
	batch->next = list->first;
	list->first = batch;
	if (list->last == NULL)
		list->last = batch;
	list->n++;
	list->statements += batch->n;
}

struct db_batch *db_list_take(struct db_list *list)
{
	struct db_batch *batch = list->first;
	if (batch == NULL)
		return NULL;
	list->first = batch->next;
	if (list->first == NULL)
		list->last = NULL;
	list->n--;
	list->statements -= batch->n;
	batch->next = NULL;
	return batch;
}

static void clear_results(struct db_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		PQclear(batch->items[i].result);
		batch->items[i].result = NULL;
	}
}

/* The results of a batch live as long as its arena. */
struct results {
	struct db_item *items;
	size_t n;
};

static void drop_results(void *arg)
{
	struct results *results = arg;
	for (size_t i = 0; i < results->n; i++)
		PQclear(results->items[i].result);
}

bool db_batch_begin(struct db_batch *batch)
{
	struct results *results = arena_new_of(batch->arena, struct results);
	for (size_t i = 0; i < batch->n; i++)
		batch->items[i].result = NULL;
	if (results == NULL)
		return false;
	*results = (struct results){ batch->items, batch->n };
	return arena_cleanup(batch->arena, drop_results, results) == 0;
}

void db_batch_done(struct db_batch *batch, const struct status *st)
{
	if (!status_ok(st))
		clear_results(batch);
	batch->done(batch, st);
}

void db_batch_again(struct db_list *queue, struct db_batch *batch)
{
	clear_results(batch);
	batch->retried = true;
	db_list_add_first(queue, batch);
}
