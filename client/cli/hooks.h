/* Functions that rows of the command tables name where a row is not enough; the
 * ones of session.h and vote.h apart. */
#ifndef ISMS_CLI_HOOKS_H
#define ISMS_CLI_HOOKS_H

#include <protobuf-c/protobuf-c.h>

struct app;
struct args;
struct command;

/* account.c: replies that carry a secret, and who is signed in. */
int account_create(struct app *app, const struct command *command, const struct args *args);
int account_token(struct app *app, const struct command *command, const struct args *args);
int account_print_whoami(struct app *app, const struct command *command,
			 const ProtobufCMessage *reply);

/* method.c: the risk method as people read it. */
int method_print(struct app *app, const struct command *command, const ProtobufCMessage *reply);

/* simulate.c: what a change of policies would do. */
int simulate_print(struct app *app, const struct command *command, const ProtobufCMessage *reply);

/* history.c: versions with what they changed. */
int history_run(struct app *app, const struct command *command, const struct args *args);

/* call.c: any RPC with JSON. */
int call_run(struct app *app, const struct command *command, const struct args *args);

/* help.c, completion.c */
int help_run(struct app *app, const struct command *command, const struct args *args);
int help_version(struct app *app, const struct command *command, const struct args *args);
int completion_run(struct app *app, const struct command *command, const struct args *args);

#endif
