/* Signing in and out. Passwords come from the terminal without echo, or from a file. */
#ifndef ISMS_CLI_SESSION_H
#define ISMS_CLI_SESSION_H

struct app;
struct args;
struct command;

/* Hooks of the commands. */
int session_login(struct app *app, const struct command *command, const struct args *args);
int session_logout(struct app *app, const struct command *command, const struct args *args);
int session_activate(struct app *app, const struct command *command, const struct args *args);

#endif
