/* Streams of the server, printed as they come until Ctrl-C or the limit. */
#ifndef ISMS_CLI_WATCH_H
#define ISMS_CLI_WATCH_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct app;
struct args;
struct command;
struct isms_api_method;

enum watch_go { WATCH_GO, WATCH_ENOUGH, WATCH_FAILED };

/* Called for each message, and with NULL when none came for a second. What it allocates
 * is gone when it returns. WATCH_FAILED: the error was printed, *out_exit tells. */
typedef enum watch_go (*watch_fn)(void *arg, struct app *app, const ProtobufCMessage *message,
				  int *out_exit);

/* Watches until fn has enough, a signal ends it (CLI_DONE) or the server does for good.
 * A cursor to go on at is told on stderr at the end. */
int watch_run(struct app *app, const struct isms_api_method *method, ProtobufCMessage *request,
	      watch_fn fn, void *arg);

/* Hooks of the commands events and inbox. */
int watch_events(struct app *app, const struct command *command, const struct args *args);
int watch_inbox(struct app *app, const struct command *command, const struct args *args);

#endif
