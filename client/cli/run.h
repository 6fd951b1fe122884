/* Rows of lists, for commands that do more with them than print them. */
#ifndef ISMS_CLI_RUN_H
#define ISMS_CLI_RUN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct app;
struct command;
struct isms_api_method;

struct rows {
	const ProtobufCMessage **list;
	size_t n, room;
	bool more; /* there are more than --limit */
};

/* Adds the rows of all pages, up to --limit. A reply without paging is one page. An exit
 * code; prints errors. */
int run_read_rows(struct app *app, const struct command *command,
		  const struct isms_api_method *method, ProtobufCMessage *request,
		  struct rows *rows);
/* Reads the rows and prints the columns of the command in the format asked for. */
int run_list(struct app *app, const struct command *command, const struct isms_api_method *method,
	     ProtobufCMessage *request);

#endif
