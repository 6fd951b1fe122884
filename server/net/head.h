/* The head of a request: the fields that gRPC gives a meaning, and the rules for
 * them. Text in, verdict out. */
#ifndef ISMS_NET_HEAD_H
#define ISMS_NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct arena;

enum {
	HEAD_FIELDS_MAX = 64,
	HEAD_TOKEN_MAX = 1024, /* bytes of authorization; no token is as long */
};

/* Texts are in the arena, NULL where absent. */
struct head {
	const char *method;
	const char *path;
	const char *content_type;
	const char *te;
	const char *timeout;
	const char *encoding;
	const char *authorization;
	unsigned repeated; /* bit per member above */
	unsigned n_fields;
	size_t size;    /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
	bool too_large; /* fields from then on were not kept */
	bool bad_token; /* authorization above HEAD_TOKEN_MAX; counts as empty */
	bool malformed; /* a "-bin" value that is no base64 */
};

/* Takes one field. false: out of memory. */
bool head_add(struct head *head, struct arena *arena, const char *name, size_t name_len,
	      const char *value, size_t value_len);

/* 405 or 415 when this is no gRPC at all, else 0. */
int head_http_error(const struct head *head);

/* Whether the fields may start a call: RESOURCE_EXHAUSTED, INVALID_ARGUMENT,
 * UNIMPLEMENTED, UNAUTHENTICATED. *timeout_us is -1 without a timeout. */
STATUS_MUST_CHECK struct status head_check(int64_t *timeout_us, const struct head *head);

#endif
