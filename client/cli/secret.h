/* Secrets: read from files and terminals, written to files of mode 0600. Never
 * taken from the command line. */
#ifndef ISMS_CLI_SECRET_H
#define ISMS_CLI_SECRET_H

struct app;

/* The first line of a file, "-" for standard input; NULL path asks on the
 * terminal without echo. flag is named when nobody can be asked. */
int secret_read(struct app *app, const char *path, const char *prompt, const char *flag,
		const char **out);
/* Writes text to a file that only its owner may read; replaced in one step,
 * missing folders are made. */
int secret_write(struct app *app, const char *path, const char *text);

#endif
