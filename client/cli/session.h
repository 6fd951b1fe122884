/* Signing in and out. The token of a context lies in a file of mode 0600 next to
 * the address that it belongs to; ISMS_TOKEN overrides it. Passwords come from
 * the terminal without echo, or from a file. */
#ifndef ISMS_CLI_SESSION_H
#define ISMS_CLI_SESSION_H

#include <stdbool.h>

struct app;
struct args;
struct command;

/* The token to call with. CLI_SIGN_IN when there is none for this server. */
int session_token(struct app *app, const char **out);

/* Whether a text has the characters of a token only. */
bool session_token_valid(const char *token);

/* Hooks of the commands. */
int session_login(struct app *app, const struct command *command, const struct args *args);
int session_logout(struct app *app, const struct command *command, const struct args *args);
int session_activate(struct app *app, const struct command *command, const struct args *args);

#endif
