/* Binds parameters and columns of a statement to the fields of a message by
 * name, from the descriptors of protobuf-c; all values travel in binary.
 *
 * A name is looked up as a field of the message, then of its sub-message "meta"
 * or "mutation", then as <field>_<field> one level down ("current_level" is
 * current.level), then in the sub-message "fields". The column "page_key" maps
 * to no field: it is the key of a list.
 *
 * Converters, by column type and field type: bool-bool, int2/int4/int8-integer,
 * int2/int4-enum (number), text-enum (name without the enum's prefix),
 * text-string, bytea-bytes, uuid-string, timestamptz-google.protobuf.Timestamp,
 * bytea-message (serialised), uuid[]/text[]-repeated string,
 * bigint[]-repeated int64. NULL is the empty
 * string for uuid, UNSPECIFIED for enums, the absent message, the empty list; in
 * any other column it is INTERNAL, naming query and column. */
#ifndef ISMS_DB_ROWMAP_H
#define ISMS_DB_ROWMAP_H

#include <protobuf-c/protobuf-c.h>

#include "common/status.h"
#include "server/db/query.h"

struct arena;
struct rowmap;
struct parammap;
struct pg_result; /* libpq's PGresult */

/* Values of the special parameters of one call; NULL or 0 where it has none. */
struct query_args {
	const char *org, *actor, *session, *permission, *email, *request_id;
	const char *page_after, *id, *kind;
	const uint8_t *token_sha256, *secret_sha256; /* 32 bytes */
	int64_t version, decisions;
	int32_t page_limit;
};

/* Binds the columns of a described statement to a message type; on a mismatch
 * NULL, with one line in *why (in the arena) that names query, column and field.
 * Yours. */
struct rowmap *rowmap_new(const struct query *query, const ProtobufCMessageDescriptor *type,
			  struct arena *arena, const char **why);
void rowmap_free(struct rowmap *map);
/* One row as a message in the arena; strings and bytes point into the result,
 * which must live as long. */
STATUS_MUST_CHECK struct status rowmap_read(ProtobufCMessage **out, const struct rowmap *map,
					    const struct pg_result *result, int row,
					    struct arena *arena);
/* How many rows a statement gave. */
int rowmap_count(const struct pg_result *result);
/* The row's column page_key, the key of a list, as the text of a uuid in the arena;
 * NULL when the statement has no such column. Aborts when out of memory. */
const char *rowmap_page_key(const struct pg_result *result, int row, struct arena *arena);

/* Binds the parameters of a described statement; type may be NULL when all are
 * special. Yours. */
struct parammap *parammap_new(const struct query *query, const ProtobufCMessageDescriptor *type,
			      struct arena *arena, const char **why);
void parammap_free(struct parammap *map);
/* Fills values and lengths (QUERY_PARAMS_MAX each) in binary; memory is in the
 * arena. INVALID_ARGUMENT for a text that is not a uuid or an enum without a
 * name, naming the field. */
STATUS_MUST_CHECK struct status parammap_write(const struct parammap *map,
					       const ProtobufCMessage *message,
					       const struct query_args *args, struct arena *arena,
					       const char **values, int *lengths);

#endif
