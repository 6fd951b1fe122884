/* Changed fields as people read them, and what changed since one's last decision. */
#ifndef ISMS_CLI_DIFF_H
#define ISMS_CLI_DIFF_H

#include "client/cli/decision.h"

struct app;
struct args;
struct command;

/* "    current.level  HIGH -> LOW": one line, ids as refs and e-mails. */
void diff_line(struct app *app, const char *field, const char *before, const char *after);

/* Prints what differs from what the caller decided on last. An exit code. */
int diff_since_decision(struct app *app, const Isms__V1__ApprovalRequest *request);

/* Hook of approval diff. */
int diff_run(struct app *app, const struct command *command, const struct args *args);

#endif
