/* What is printed on stdout: tables, CSV, ids, JSON, one object in full. */
#ifndef ISMS_CLI_OUTPUT_H
#define ISMS_CLI_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct app;

enum { COLUMNS_MAX = 24 };

struct column {
	const char *heading;
	const char *path;
	bool tail; /* only what stands behind the last slash */
};

/* Columns from "REF=meta.ref CALL=rpc|tail", or as --fields picks them; NULL spec:
 * every field. Prints errors. */
int output_columns(struct app *app, const ProtobufCMessageDescriptor *type, const char *spec,
		   struct column *out, size_t *out_n);
/* Rows as a table or CSV. */
void output_rows(struct app *app, const struct column *columns, size_t n,
		 const ProtobufCMessage *const *rows, size_t n_rows);
/* Rows as a JSON list, only with the columns' fields when picked is set. */
void output_json_rows(struct app *app, const struct column *columns, size_t n, bool picked,
		      const ProtobufCMessage *const *rows, size_t n_rows);
/* All fields of one object, one a line. */
void output_object(struct app *app, const ProtobufCMessage *message, unsigned indent);
/* Any table: cells row by row, escaped already. */
void output_table(struct app *app, const char *const *headings, size_t n, const char *const *cells,
		  size_t n_rows);

#endif
