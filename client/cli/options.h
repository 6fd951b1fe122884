/* Flags that every command takes, and the settings that they, the environment and
 * client.conf make. */
#ifndef ISMS_CLI_OPTIONS_H
#define ISMS_CLI_OPTIONS_H

#include <stdio.h>

#include "common/conf.h"

struct app;

/* Rows over struct options. */
extern const struct conf_table options_table;

/* Row of "--timeout" or "-o"; NULL when it is none of ours. */
const struct conf_row *options_row(const char *flag);
/* Sets one flag from argv; value NULL for a switch. Prints errors. */
int options_set(struct app *app, const struct conf_row *row, const char *value);
/* After all flags: checks them, reads environment and client.conf. */
int options_apply(struct app *app);
/* The lines of help. */
void options_print(FILE *out);

#endif
