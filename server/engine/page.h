/* Page tokens: the key of the last row seen, bound to organisation, method and
 * filter by a MAC, so that a forged token or one of another list is refused. */
#ifndef ISMS_ENGINE_PAGE_H
#define ISMS_ENGINE_PAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/status.h"

struct arena;

enum { PAGE_SIZE_DEFAULT = 100, PAGE_SIZE_MAX = 1000, PAGE_SECRET = 32 };

/* Rows of a page that the request asks for. */
int32_t page_size(const ProtobufCMessage *request);

/* The key (a uuid in text) that the request's page_token continues after, NULL
 * for the first page. INVALID_ARGUMENT for a token that was not given out for
 * this organisation, method and filter. */
STATUS_MUST_CHECK struct status page_after(const char **out, const ProtobufCMessage *request,
					   const uint8_t secret[PAGE_SECRET], const char *org_id,
					   const char *path, struct arena *arena);

/* The token that continues after key. */
const char *page_token(const char *key, const ProtobufCMessage *request,
		       const uint8_t secret[PAGE_SECRET], const char *org_id, const char *path,
		       struct arena *arena);

#endif
