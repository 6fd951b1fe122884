/* Short forms for the rows of the command tables. */
#ifndef ISMS_CLI_TABLE_H
#define ISMS_CLI_TABLE_H

#include "client/cli/command.h"

/* A word that must be there: the object that field holds the id of. */
#define WORD(word, field, kind, text)                                                              \
	{                                                                                          \
		.name = (word), .path = (field), .help = (text), .flags = PARAM_REQUIRED,          \
		.object = (kind)                                                                   \
	}
/* A flag with a value, one that must be given, one for lists, one without value. */
#define FLAG(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text)                   \
	}
#define NEED(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text),                  \
		.flags = PARAM_REQUIRED                                                            \
	}
#define MANY(flag, what, field, text)                                                              \
	{                                                                                          \
		.name = (flag), .value = (what), .path = (field), .help = (text),                  \
		.flags = PARAM_MANY                                                                \
	}
#define SWITCH(flag, field, text)                                                                  \
	{                                                                                          \
		.name = (flag), .path = (field), .help = (text), .flags = PARAM_SWITCH             \
	}

extern const struct command table_inventory[];
extern const struct command table_risk[];
extern const struct command table_treat[];
extern const struct command table_accept[];
extern const struct command table_people[];
extern const struct command table_other[];

#endif
