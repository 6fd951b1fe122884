/* Settings: one row of a table is name, parser, default, bounds, help and
 * documentation of a setting, and says where its value lies in a struct.
 *
 *   struct settings { const char *listen; int64_t workers; bool embedded; int64_t drain; };
 *   static const struct conf_row rows[] = {
 *     { CONF_AT(struct settings, listen), .name = "listen", .type = CONF_STRING,
 *       .fallback = "127.0.0.1:7443", .help = "address and port to listen on" },
 *     { CONF_AT(struct settings, drain), .name = "drain", .type = CONF_DURATION,
 *       .fallback = "10s", .unit = "s", .min = CONF_SECOND, .max = 300 * CONF_SECOND,
 *       .help = "how long running calls may take to end after SIGTERM" },
 *   };
 *   static const struct conf_table table = CONF_TABLE(rows);
 *
 * A file holds lines "name = value": blanks around name and value do not count,
 * an empty line or one whose first character is # is skipped; a # further on
 * belongs to the value; quotes mean nothing. Arguments are --name value,
 * --name=value and, for a bool, --name alone (true; its value only after "=").
 * Values: bool is true/false/yes/no/on/off; a duration is a number with us, ms,
 * s, m, h or d; a size one with B, KiB, MiB or GiB; a bare number counts in the
 * row's unit. All errors are INVALID_ARGUMENT, reason INVALID_SETTING, and the
 * message says file and line, or the argument. */
#ifndef ISMS_CONF_H
#define ISMS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/status.h"

struct arena;

#define CONF_SECOND INT64_C(1000000)
#define CONF_KIB    INT64_C(1024)
#define CONF_MIB    (1024 * CONF_KIB)

enum {
	CONF_ROWS_MAX = 128,
	CONF_FILE_MAX = 65536, /* bytes of a file */
};

enum conf_type {
	CONF_STRING,   /* const char *, in the arena; "" when not set; min and max count bytes */
	CONF_INT,      /* int64_t */
	CONF_BOOL,     /* bool */
	CONF_DURATION, /* int64_t, microseconds */
	CONF_SIZE,     /* int64_t, bytes */
};

struct conf_row {
	const char *name; /* "max-connections", the same in file and arguments */
	enum conf_type type;
	const char *fallback; /* default as it would be written; NULL: "", 0, false */
	const char *unit;     /* of a bare number (duration, size); else only shown */
	int64_t min, max;     /* both 0: no bounds */
	const char *help;     /* lower case, no full stop */
	size_t offset;        /* use CONF_AT */
};

#define CONF_AT(type, member) .offset = offsetof(type, member)

struct conf_table {
	const struct conf_row *rows;
	size_t n;
};

#define CONF_TABLE(rows)                                                                           \
	{                                                                                          \
		(rows), sizeof(rows) / sizeof((rows)[0])                                           \
	}

/* Row of a name, or NULL. */
const struct conf_row *conf_find(const struct conf_table *table, const char *name);

/* Checks the table (names, defaults within bounds) and writes all defaults. */
STATUS_MUST_CHECK struct status conf_defaults(void *settings, const struct conf_table *table,
					      struct arena *arena);
/* Sets one value. The message names the setting and what was expected. */
STATUS_MUST_CHECK struct status conf_set(void *settings, const struct conf_table *table,
					 const char *name, const char *value, struct arena *arena);
/* Sets what a text in the form of a file says; name is that of the file, for
 * errors. A name given twice is an error. */
STATUS_MUST_CHECK struct status conf_parse(void *settings, const struct conf_table *table,
					   const char *name, const char *text, size_t len,
					   struct arena *arena);
/* Reads a file. NOT_FOUND, reason CONFIG_FILE, when it cannot be opened. */
STATUS_MUST_CHECK struct status conf_file(void *settings, const struct conf_table *table,
					  const char *path, struct arena *arena);
/* Sets what the arguments say, from argv[*next] on. Stops at the first that does
 * not begin with "--", or behind "--"; *next is then that one's index. */
STATUS_MUST_CHECK struct status conf_arguments(int *next, void *settings,
					       const struct conf_table *table, int argc,
					       char *const *argv, struct arena *arena);

/* One paragraph a setting, for --help. */
void conf_print_help(FILE *out, const struct conf_table *table);
/* A table in Markdown. */
void conf_print_documentation(FILE *out, const struct conf_table *table);

#endif
