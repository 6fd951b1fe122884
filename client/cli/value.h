/* One value as text. */
#ifndef ISMS_CLI_VALUE_H
#define ISMS_CLI_VALUE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct app;

/* The value at a dotted path; elements of lists on the way or at its end are
 * joined by ", ", each text once. For people: ids as what people call their objects,
 * levels with symbol and word, times to the minute; exact: ids, short enum names,
 * RFC 3339. In the arena, not escaped. */
const char *value_at(struct app *app, const ProtobufCMessage *message, const char *path,
		     bool exact);
/* "# Critical". */
const char *value_level(int level);

/* "2030-11-30 12:00" for RFC 3339, else the text itself. */
const char *value_time(struct app *app, const char *text);

#endif
