/* What the tests of the scanner share. */
#ifndef ISMS_TESTS_TEST_COMMON_SCAN_H
#define ISMS_TESTS_TEST_COMMON_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/pb.h"
#include "common/scan.h"
#include "tests/unit/tap.h"

/* What the scan says of literal bytes: its reason, "" when it accepts. What it
 * accepts must unpack within the memory it was allowed. */
static char violation[300];

static inline const char *scan(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
			       const struct scan_limits *limits)
{
	static char reason[64];
	struct arena *arena = arena_new(64 << 10);
	size_t cap = len * limits->heap_factor < 65536 ? 65536 : len * limits->heap_factor;
	struct arena *memory = arena_new(cap < limits->heap ? cap : limits->heap);
	struct status st = scan_message(type, data, len, limits, arena);

	reason[0] = violation[0] = '\0';
	if (!status_ok(&st)) {
		CHECK_INT(st.code, STATUS_CODE_INVALID_ARGUMENT);
		CHECK(strlen(st.message) > 0);
		snprintf(reason, sizeof(reason), "%s", st.reason);
		if (st.details != NULL && st.details->n_violations > 0)
			snprintf(violation, sizeof(violation), "%s",
				 st.details->violations[0].field);
	} else {
		CHECK(pb_unpack(type, data, len, memory) != NULL);
	}
	arena_free(memory);
	arena_free(arena);
	return reason;
}

/* count times the unit. Yours. */
static inline uint8_t *repeat(const char *unit, size_t unit_len, size_t count)
{
	uint8_t *bytes = malloc(unit_len * count);

	for (size_t i = 0; i < count; i++)
		memcpy(bytes + i * unit_len, unit, unit_len);
	return bytes;
}

#endif
