/* Finding commands; see command.h. */
#include "client/cli/command.h"

#include <isms/api.h>
#include <string.h>

#include "client/cli/text.h"

int command_each(command_each_fn fn, void *arg)
{
	for (size_t t = 0; command_tables[t]; t++)
		for (const struct command *row = command_tables[t]; row->noun; row++) {
			int result = fn(arg, row);
			if (result)
				return result;
		}
	return 0;
}

struct search {
	const char *noun;
	const char *verb;
	const struct command *found;
};

static int match(void *arg, const struct command *row)
{
	struct search *search = arg;
	if (strcmp(row->noun, search->noun) != 0)
		return 0;
	if (!row->verb != !search->verb || (row->verb && strcmp(row->verb, search->verb) != 0))
		return 0;
	search->found = row;
	return 1;
}

const struct command *command_find(const char *noun, const char *verb)
{
	struct search search = { noun, verb, NULL };
	(void)command_each(match, &search);
	return search.found;
}

static int match_noun(void *arg, const struct command *row)
{
	return strcmp(row->noun, arg) == 0;
}

bool command_is_noun(const char *noun)
{
	return command_each(match_noun, (void *)(uintptr_t)noun) != 0;
}

struct nearest {
	const char *noun;
	const char *typed;
	const char *best;
	unsigned least;
};

static int compare(void *arg, const struct command *row)
{
	struct nearest *nearest = arg;
	const char *name = nearest->noun ? row->verb : row->noun;
	if (!name || (nearest->noun && strcmp(row->noun, nearest->noun) != 0))
		return 0;
	unsigned distance = text_distance(nearest->typed, name);
	if (distance < nearest->least && text_near(nearest->typed, name)) {
		nearest->least = distance;
		nearest->best = name;
	}
	return 0;
}

const char *command_nearest(const char *noun, const char *typed)
{
	struct nearest nearest = { noun, typed, NULL, 99 };
	(void)command_each(compare, &nearest);
	return nearest.best;
}

const struct isms_api_method *command_method(const char *name)
{
	static const char package[] = "isms.v1.";
	name += *name == '/';
	if (strncmp(name, package, sizeof package - 1) == 0)
		name += sizeof package - 1;
	const char *slash = strchr(name, '/');
	if (!slash)
		return NULL;
	size_t len = (size_t)(slash - name);
	for (size_t i = 0; i < isms_api_methods_count; i++) {
		const struct isms_api_method *row = &isms_api_methods[i];
		if (strlen(row->service) == len && strncmp(row->service, name, len) == 0 &&
		    strcmp(row->name, slash + 1) == 0)
			return row;
	}
	return NULL;
}
