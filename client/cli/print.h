/* Printing what came of a command, for hooks that end as rows do. */
#ifndef ISMS_CLI_PRINT_H
#define ISMS_CLI_PRINT_H

#include <protobuf-c/protobuf-c.h>

struct app;
struct command;

/* The reply as the row and the format say, and the next hint. */
int print_reply(struct app *app, const struct command *command, const ProtobufCMessage *reply);
/* "RSK-000001 v3 ANALYSED  id 0190…" */
void print_written(struct app *app, const ProtobufCMessage *object);
/* "next: …" on a terminal, {ref} filled in. */
void print_next(struct app *app, const char *template, const ProtobufCMessage *object);
void print_json(struct app *app, const ProtobufCMessage *message);

#endif
