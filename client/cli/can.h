/* Who may do what: can-i and why-not. */
#ifndef ISMS_CLI_CAN_H
#define ISMS_CLI_CAN_H

struct app;
struct args;
struct command;

/* Hooks of can-i and why-not: CLI_DONE when it is allowed, CLI_NO when not. */
int can_run(struct app *app, const struct command *command, const struct args *args);
int can_why_not(struct app *app, const struct command *command, const struct args *args);

#endif
