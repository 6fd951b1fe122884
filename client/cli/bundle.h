/* Decision bundles: all that proves a decision, in one file, checked without the server. */
#ifndef ISMS_CLI_BUNDLE_H
#define ISMS_CLI_BUNDLE_H

struct app;
struct args;
struct command;

/* Hooks of approval export and approval verify. */
int bundle_export(struct app *app, const struct command *command, const struct args *args);
int bundle_verify(struct app *app, const struct command *command, const struct args *args);

#endif
