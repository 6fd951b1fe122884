/* Memory that is there: the server may abort when the system has none left, and
 * the plans' makers are easier to read when nothing of theirs can be NULL. */
#ifndef ISMS_DOMAIN_MUST_H
#define ISMS_DOMAIN_MUST_H

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/pb.h"

static inline void *must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

/* An empty message: must_new_of(arena, Isms__V1__Score, isms__v1__score) */
#define must_new_of(arena, Type, type) ((Type *)must(pb_new(&type##__descriptor, (arena))))

#endif
