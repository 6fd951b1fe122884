/* Statuses and their details. A detail that finds no memory is dropped: the code
 * and the reason always survive. */
#include "common/status.h"

#include "common/arena.h"

static const char *const code_names[] = {
	[STATUS_CODE_OK] = "OK",
	[STATUS_CODE_CANCELLED] = "CANCELLED",
	[STATUS_CODE_UNKNOWN] = "UNKNOWN",
	[STATUS_CODE_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
	[STATUS_CODE_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
	[STATUS_CODE_NOT_FOUND] = "NOT_FOUND",
	[STATUS_CODE_ALREADY_EXISTS] = "ALREADY_EXISTS",
	[STATUS_CODE_PERMISSION_DENIED] = "PERMISSION_DENIED",
	[STATUS_CODE_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[STATUS_CODE_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
	[STATUS_CODE_ABORTED] = "ABORTED",
	[STATUS_CODE_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[STATUS_CODE_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[STATUS_CODE_INTERNAL] = "INTERNAL",
	[STATUS_CODE_UNAVAILABLE] = "UNAVAILABLE",
	[STATUS_CODE_DATA_LOSS] = "DATA_LOSS",
	[STATUS_CODE_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

struct status status_make(enum status_code code, const char *reason, const char *message)
{
	return (struct status){ .code = code, .reason = reason, .message = message };
}

struct status status_invalid(struct arena *arena, const char *field, const char *description)
{
	struct status st = status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_FIELD",
				       "a field of the request is not valid");

	status_add_violation(&st, arena, field, description);
	return st;
}

static struct status_details *details_of(struct status *st, struct arena *arena)
{
	if (st->details == NULL)
		st->details = arena_new_of(arena, struct status_details);
	return st->details;
}

void status_add_violation(struct status *st, struct arena *arena, const char *field,
			  const char *description)
{
	struct status_details *details = details_of(st, arena);
	struct status_violation violation;

	if (details == NULL || details->n_violations == STATUS_VIOLATIONS_MAX)
		return;
	violation.field = arena_strdup(arena, field);
	violation.description = arena_strdup(arena, description);
	if (violation.field != NULL && violation.description != NULL)
		details->violations[details->n_violations++] = violation;
}

void status_add_pair(struct status *st, struct arena *arena, const char *key, const char *value)
{
	struct status_details *details = details_of(st, arena);
	struct status_pair pair;

	if (details == NULL || details->n_pairs == STATUS_PAIRS_MAX)
		return;
	pair.key = arena_strdup(arena, key);
	pair.value = arena_strdup(arena, value);
	if (pair.key != NULL && pair.value != NULL)
		details->pairs[details->n_pairs++] = pair;
}

void status_set_retry(struct status *st, struct arena *arena, int64_t retry_after_us)
{
	struct status_details *details = details_of(st, arena);

	if (details != NULL)
		details->retry_after_us = retry_after_us;
}

/* A copy of text; NULL stays NULL, and without memory it is empty. */
static const char *copy_text(const char *text, struct arena *arena)
{
	const char *copy = text == NULL ? NULL : arena_strdup(arena, text);

	return text != NULL && copy == NULL ? "" : copy;
}

struct status status_copy(const struct status *st, struct arena *arena)
{
	struct status copy = { .code = st->code,
			       .reason = copy_text(st->reason, arena),
			       .message = copy_text(st->message, arena) };
	const struct status_details *from = st->details;

	if (from == NULL)
		return copy;
	for (size_t i = 0; i < from->n_violations; i++)
		status_add_violation(&copy, arena, from->violations[i].field,
				     from->violations[i].description);
	for (size_t i = 0; i < from->n_pairs; i++)
		status_add_pair(&copy, arena, from->pairs[i].key, from->pairs[i].value);
	if (from->retry_after_us != 0)
		status_set_retry(&copy, arena, from->retry_after_us);
	return copy;
}

const char *status_code_name(enum status_code code)
{
	size_t i = (size_t)code;

	return i < sizeof(code_names) / sizeof(code_names[0]) ? code_names[i] : "UNKNOWN";
}

bool status_retriable(enum status_code code)
{
	return code == STATUS_CODE_UNAVAILABLE || code == STATUS_CODE_ABORTED ||
	       code == STATUS_CODE_RESOURCE_EXHAUSTED;
}
