/* What an error of PostgreSQL means to a caller: SQLSTATE to code and reason
 * (longest match: five characters, then the class, then INTERNAL), and for
 * violated constraints a row each in pgerr_constraints.c.
 *
 * Constraints without a row get the default of their class:
 *   CHECK        INVALID_ARGUMENT, INVALID_VALUE
 *   NOT NULL     INVALID_ARGUMENT, INVALID_VALUE
 *   FOREIGN KEY  FAILED_PRECONDITION, REFERENCE_NOT_FOUND
 *   primary keys and unique constraints over values that the server makes
 *   (…_pkey, …_ref_key, …_token_key)   ALREADY_EXISTS, ALREADY_EXISTS
 * Any other UNIQUE or EXCLUDE constraint or unique index of a table with org_id
 * must have a row.
 *
 * Reasons that the engine knows: SERIALIZATION_FAILURE, DEADLOCK and
 * IDEMPOTENCY_RACE mean that the call may start again at its load. */
#ifndef ISMS_DB_PGERR_H
#define ISMS_DB_PGERR_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct arena;

struct pgerr_constraint {
	const char *name;
	enum status_code code;
	const char *reason;
	const char *field; /* of the request, or NULL */
	const char *message;
};

extern const struct pgerr_constraint pgerr_constraints[];
extern const size_t pgerr_constraints_count;

/* What a failed result means. Its text goes to the log only. */
struct status pgerr_status(const PGresult *result, struct arena *arena);

/* Whether the statement's plan or name is gone, so that a new connection helps. */
bool pgerr_stale(const PGresult *result);
/* Whether the server ended the connection with this error. */
bool pgerr_fatal(const PGresult *result);

/* Checks the rows of constraints against the catalogue, both ways:
 * FAILED_PRECONDITION naming the first that does not fit. */
STATUS_MUST_CHECK struct status pgerr_check(PGconn *conn, struct arena *arena);

#endif
