/* What one run of the program carries: settings, memory, the connection and how
 * it speaks. Everything that a run allocates lives in one arena until it ends;
 * when memory runs out the program says so and ends.
 *
 * Errors: the function that finds the fault prints "error: what" with app_error,
 * then reasons (app_why) and what to do next (app_next), and returns the exit
 * code; callers only hand the code up. */
#ifndef ISMS_CLI_APP_H
#define ISMS_CLI_APP_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;
struct isms_api_method;
struct isms_client;
struct isms_reply;
struct command;
struct cache;

/* What the shell gets; the same for every command. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_NO = 1,          /* the answer is no */
	CLI_USAGE = 2,       /* usage or missing input */
	CLI_NOT_FOUND = 3,   /* no such object */
	CLI_SIGN_IN = 4,     /* sign-in needed or expired */
	CLI_DENIED = 5,      /* not allowed */
	CLI_CONFLICT = 6,    /* changed since read, or the state forbids it */
	CLI_UNREACHABLE = 7, /* server or network; safe to retry */
	CLI_PARTLY = 8,      /* partly done */
	CLI_INTERNAL = 10,   /* fault of the program or the server */
};

enum app_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_ID };

/* Flags that every command takes; rows in options.c. */
struct options {
	const char *config;
	const char *context;
	const char *server;
	const char *ca;
	const char *output;
	const char *fields;
	const char *color;
	const char *request_id;
	int64_t timeout; /* microseconds; 0: the SDK's */
	int64_t expected_version;
	int64_t limit;
	bool no_input;
	bool yes;
	bool dry_run;
	bool verbose;
	bool help;
	bool version;
};

/* The connection, from client.conf and options. */
struct target {
	const char *address;
	const char *ca;
	const char *organisation;
	const char *email;
};

struct app {
	struct arena *arena;
	struct options options;
	struct target target;
	enum app_format format;
	bool color_out; /* stdout takes colour */
	bool tty_out;   /* stdout is a terminal */
	bool can_ask;   /* stdin and stderr are terminals and --no-input is not given */
	const char *token_file;
	struct isms_client *client;
	const struct isms_reply *failed; /* the last call that failed, and its method */
	const struct isms_api_method *failed_method;
	/* What people call an object, resolve_label(): set by main(), since what tells of
	 * failed calls is below what makes calls to find names. */
	const char *(*label)(struct app *app, const char *object, const char *id);
	struct cache *cache; /* what resolvers have listed, see resolve.c */
	char request_id[37]; /* of the last write */
	uint64_t writes;     /* writes so far; the second has a request id of its own */
};

/* Prints and ends the program when memory runs out. */
void *app_alloc(struct app *app, size_t size);
char *app_strndup(struct app *app, const char *text, size_t len);
char *app_strdup(struct app *app, const char *text);
char *app_printf(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_no_memory(void) __attribute__((noreturn));

#define app_array(app, type, n) ((type *)app_alloc((app), sizeof(type) * (n)))

/* Each prints one line on stderr, control characters escaped. app_error returns
 * exit, so that a fault can be said and handed up in one statement. */
int app_error(int exit, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_why(const char *format, ...) __attribute__((format(printf, 1, 2)));
void app_next(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Asks on the terminal; the answer is yes only for y or yes. Without a terminal
 * it is an error that names the flag. */
int app_confirm(struct app *app, const char *question, const char *flag);

/* Whole content of a file, of at most max bytes; "-" is standard input. *out
 * ends with a NUL that is not counted. */
int app_read(struct app *app, char **out, size_t *out_len, const char *path, size_t max);

#endif
