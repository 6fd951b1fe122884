/* Outcome of anything that can fail because of the world (a request, a peer,
 * the database). Passed by value, set where the fault is detected and handed up
 * untouched. Our own bugs are assert()s, not statuses. */
#ifndef ISMS_STATUS_H
#define ISMS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Codes of gRPC, by number (grpc "Status codes and their use in gRPC"). */
enum status_code {
	STATUS_CODE_OK = 0,
	STATUS_CODE_CANCELLED = 1,
	STATUS_CODE_UNKNOWN = 2,
	STATUS_CODE_INVALID_ARGUMENT = 3,
	STATUS_CODE_DEADLINE_EXCEEDED = 4,
	STATUS_CODE_NOT_FOUND = 5,
	STATUS_CODE_ALREADY_EXISTS = 6,
	STATUS_CODE_PERMISSION_DENIED = 7,
	STATUS_CODE_RESOURCE_EXHAUSTED = 8,
	STATUS_CODE_FAILED_PRECONDITION = 9,
	STATUS_CODE_ABORTED = 10,
	STATUS_CODE_OUT_OF_RANGE = 11,
	STATUS_CODE_UNIMPLEMENTED = 12,
	STATUS_CODE_INTERNAL = 13,
	STATUS_CODE_UNAVAILABLE = 14,
	STATUS_CODE_DATA_LOSS = 15,
	STATUS_CODE_UNAUTHENTICATED = 16,
};

enum {
	STATUS_VIOLATIONS_MAX = 16,
	STATUS_PAIRS_MAX = 12,
};

/* A field of the request that is wrong (google.rpc.BadRequest). */
struct status_violation {
	const char *field;       /* path, such as "fields.title" */
	const char *description; /* what was expected, lower case */
};

/* A fact for programs (google.rpc.ErrorInfo metadata). */
struct status_pair {
	const char *key;
	const char *value;
};

struct status_details {
	struct status_violation violations[STATUS_VIOLATIONS_MAX];
	size_t n_violations;
	struct status_pair pairs[STATUS_PAIRS_MAX];
	size_t n_pairs;
	int64_t retry_after_us; /* google.rpc.RetryInfo; 0 for none */
};

struct status {
	enum status_code code;
	const char *reason;             /* stable upper-case word, static or in the arena */
	const char *message;            /* one lower-case sentence without user bytes or SQL */
	struct status_details *details; /* in the arena of the call, or NULL */
};

#define STATUS_MUST_CHECK __attribute__((warn_unused_result))
#define STATUS_OK         ((struct status){ .code = STATUS_CODE_OK })

static inline bool status_ok(const struct status *st)
{
	return st->code == STATUS_CODE_OK;
}

/* reason and message are borrowed for as long as the status lives. */
struct status status_make(enum status_code code, const char *reason, const char *message);

/* INVALID_ARGUMENT, reason INVALID_FIELD, for one field. field and description
 * are copied into the arena. */
struct status status_invalid(struct arena *arena, const char *field, const char *description);

/* Adds a violation; beyond STATUS_VIOLATIONS_MAX it is dropped. Copies. */
void status_add_violation(struct status *st, struct arena *arena, const char *field,
			  const char *description);

/* Adds a fact; beyond STATUS_PAIRS_MAX it is dropped. Copies. */
void status_add_pair(struct status *st, struct arena *arena, const char *key, const char *value);

/* Sets when to try again, in microseconds. */
void status_set_retry(struct status *st, struct arena *arena, int64_t retry_after_us);

/* Deep copy into another arena (or the same). */
struct status status_copy(const struct status *st, struct arena *arena);

/* "NOT_FOUND" for STATUS_CODE_NOT_FOUND; "UNKNOWN" for a number out of range. */
const char *status_code_name(enum status_code code);

/* Whether the same call may succeed when it is made again: UNAVAILABLE, ABORTED
 * and RESOURCE_EXHAUSTED. */
bool status_retriable(enum status_code code);

#endif
