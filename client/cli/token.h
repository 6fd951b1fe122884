/* The access token of a context: in a file of mode 0600, next to the address that it
 * belongs to; ISMS_TOKEN overrides it. */
#ifndef ISMS_CLI_TOKEN_H
#define ISMS_CLI_TOKEN_H

#include <stdbool.h>

struct app;

/* The token to call with. CLI_SIGN_IN when there is none for this server. */
int token_read(struct app *app, const char **out);
/* Whether a text has the characters of a token only. */
bool token_valid(const char *token);

#endif
