/* Requests from words and flags: each parameter's path says where its value
 * goes, the field's type how it is read. */
#ifndef ISMS_CLI_REQUEST_H
#define ISMS_CLI_REQUEST_H

#include <protobuf-c/protobuf-c.h>

struct app;
struct args;
struct command;
struct isms_api_method;
struct param;

/* The request of a command's method, filled. Prints errors. */
int request_build(struct app *app, const struct command *command, const struct args *args,
		  const struct isms_api_method *method, ProtobufCMessage **out);
/* One value: ids are resolved, @FILE is read, 3x4 is a score. */
int request_set(struct app *app, ProtobufCMessage *request, const struct param *param,
		const char *text);

#endif
