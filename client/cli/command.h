/* A command is one row: which RPC it calls, what its words and flags set in the
 * request, which columns of the reply are printed. The rows are in table_*.c; a
 * row that needs more names a hook. */
#ifndef ISMS_CLI_COMMAND_H
#define ISMS_CLI_COMMAND_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct app;
struct args;
struct command;
struct isms_api_method;
struct isms_reply;

enum {
	COMMAND_PARAMS_MAX = 32,
	COMMAND_EXAMPLES_MAX = 2,
};

enum param_flags {
	PARAM_REQUIRED = 1,
	PARAM_MANY = 2,   /* may be given more than once; ids also separated by commas */
	PARAM_SWITCH = 4, /* takes no value; =true and =false are allowed */
};

/* A word ("RISK") or a flag ("--title") of a command. */
struct param {
	const char *name;
	const char *value; /* of a flag, for help: "TEXT"; NULL for a switch or a word */
	const char *path;  /* field of the request; NULL when only the hook reads it */
	const char *help;  /* lower case, no full stop */
	unsigned flags;
	/* Kind of object that a field "id" names (a name of resolve.c); other fields
	 * have theirs by their name. */
	const char *object;
	/* Fields of one element, for a list of messages: "control_id description". */
	const char *element;
};

enum command_shape {
	COMMAND_PLAIN, /* prints one object or nothing */
	COMMAND_LIST,  /* prints rows of a repeated field, all pages */
	COMMAND_WRITE, /* prints ref, version, state and id of what it changed */
	COMMAND_EDIT,  /* like WRITE; update_mask from the flags, version read first */
};

/* Runs the command in place of the usual way. */
typedef int (*command_fn)(struct app *app, const struct command *command, const struct args *args);
/* Prints a reply in place of the usual way (only for the format table). */
typedef int (*command_print_fn)(struct app *app, const struct command *command,
				const ProtobufCMessage *reply);

struct command {
	const char *noun;
	const char *verb; /* NULL when the noun alone is the command */
	const char *summary;
	const char *method; /* "RiskService/GetRisk"; NULL for a hook that picks its own */
	enum command_shape shape;
	/* Field of the reply with the object or the rows; NULL: the reply. */
	const char *row;
	/* "REF=meta.ref LEVEL=current.level"; NULL: all fields. */
	const char *columns;
	/* Where the id of a row is, for -o id; NULL: "meta.id". */
	const char *id;
	struct param params[COMMAND_PARAMS_MAX]; /* ends with a name of NULL */
	const char *examples[COMMAND_EXAMPLES_MAX];
	const char *next; /* printed after success on a terminal; {ref} is filled in */
	/* For EDIT, and for a WRITE that needs expected_version: method that reads the
	 * object and the path in its reply where the old values are ("plan.content"). */
	const char *get;
	const char *current;
	command_fn run;
	command_print_fn print;
};

/* All commands, ending with a noun of NULL, in the order of help. */
extern const struct command *const command_tables[];

/* Calls fn for each command until it returns a number other than 0. */
typedef int (*command_each_fn)(void *arg, const struct command *command);
int command_each(command_each_fn fn, void *arg);
/* NULL when there is none. verb may be NULL. */
const struct command *command_find(const char *noun, const char *verb);
bool command_is_noun(const char *noun);
/* Nearest noun, or verb of noun, to what was typed; NULL when nothing is near. */
const char *command_nearest(const char *noun, const char *typed);
/* The API's method "RiskService/GetRisk", also with "/isms.v1." before it; NULL
 * when there is none. */
const struct isms_api_method *command_method(const char *name);
/* Runs a command the way its row says. */
int command_run(struct app *app, const struct command *command, const struct args *args);

#endif
