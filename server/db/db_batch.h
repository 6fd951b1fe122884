/* Batches between db_submit and their answer: in which list they wait, and whose
 * their results are. */
#ifndef ISMS_DB_DB_BATCH_H
#define ISMS_DB_DB_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "server/db/db.h"

struct db_list {
	struct db_batch *first, *last;
	size_t n; /* batches */
	size_t statements;
};

void db_list_add(struct db_list *list, struct db_batch *batch);
void db_list_add_first(struct db_list *list, struct db_batch *batch);
/* The first one, or NULL. */
struct db_batch *db_list_take(struct db_list *list);

/* Its results, when they come, live as long as its arena. false: no memory. */
bool db_batch_begin(struct db_batch *batch);
/* Every item has its result, or the status is the answer. */
void db_batch_done(struct db_batch *batch, const struct status *st);
/* The batch is sent once more, alone: before all others of its queue. */
void db_batch_again(struct db_list *queue, struct db_batch *batch);

#endif
