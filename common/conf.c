/* Settings by table: values, texts, files and arguments. */
#include "common/conf.h"

#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/conf_value.h"

/* Where a value comes from. */
struct place {
	const char *name;
	unsigned line; /* 0: not a file */
};

/* An error about a setting: "place: name what". The operator reads his own words
 * in it; control characters become '?'. */
static struct status fault(struct arena *arena, struct place place, const char *name,
			   const char *what)
{
	char number[16] = "";
	char *message;

	if (place.line > 0)
		snprintf(number, sizeof(number), ":%u", place.line);
	message = arena_printf(arena, "%s%s: %s%s%s", place.name, number, name,
			       name[0] == '\0' ? "" : " ", what);
	for (char *at = message; at != NULL && *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	}
	return status_make(STATUS_CODE_INVALID_ARGUMENT, "INVALID_SETTING",
			   message == NULL ? "a setting is not valid" : message);
}

static const struct conf_row *find(const struct conf_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->n; i++) {
		if (strlen(table->rows[i].name) == len &&
		    memcmp(table->rows[i].name, name, len) == 0)
			return &table->rows[i];
	}
	return NULL;
}

const struct conf_row *conf_find(const struct conf_table *table, const char *name)
{
	return find(table, name, strlen(name));
}

static void store_zero(void *settings, const struct conf_row *row)
{
	uint8_t *member = (uint8_t *)settings + row->offset;

	if (row->type == CONF_STRING)
		*(const char **)(void *)member = "";
	else if (row->type == CONF_BOOL)
		*(bool *)(void *)member = false;
	else
		*(int64_t *)(void *)member = 0;
}

/* Stores a value of len bytes. */
static struct status set(void *settings, const struct conf_row *row, const char *value, size_t len,
			 struct place place, struct arena *arena)
{
	uint8_t *member = (uint8_t *)settings + row->offset;
	char *text = arena_strndup(arena, value, len);
	bool flag, ok;
	int64_t number;

	if (text == NULL)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	switch (row->type) {
	case CONF_STRING:
		ok = strlen(text) == len && conf_value_within(row, (int64_t)len);
		if (ok)
			*(const char **)(void *)member = text;
		break;
	case CONF_BOOL:
		ok = conf_value_bool(&flag, text);
		if (ok)
			*(bool *)(void *)member = flag;
		break;
	default:
		ok = conf_value_number(&number, row, text) && conf_value_within(row, number);
		if (ok)
			*(int64_t *)(void *)member = number;
	}
	if (!ok) {
		char expected[CONF_VALUE_TEXT];

		conf_value_expected(expected, row);
		return fault(arena, place, row->name, expected);
	}
	return STATUS_OK;
}

/* Our own mistakes in a table, found before anything is served with it. */
static const char *table_fault(const struct conf_table *table, size_t i)
{
	const struct conf_row *row = &table->rows[i];

	if (row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' ||
	    row->name[0] == '\0' || row->name[0] == '-')
		return "is not a name";
	if (find(table, row->name, strlen(row->name)) != row)
		return "is there twice";
	if (row->help == NULL || row->min > row->max)
		return "lacks help or has its bounds swapped";
	if ((row->type == CONF_DURATION || row->type == CONF_SIZE) && !conf_value_unit(row))
		return "has no known unit";
	return NULL;
}

struct status conf_defaults(void *settings, const struct conf_table *table, struct arena *arena)
{
	if (table->n > CONF_ROWS_MAX)
		return fault(arena, (struct place){ "table of settings", 0 }, "", "is too long");
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];
		const char *wrong = table_fault(table, i);
		struct status st;

		if (wrong != NULL)
			return fault(arena, (struct place){ "table of settings", 0 }, row->name,
				     wrong);
		store_zero(settings, row);
		if (row->fallback == NULL)
			continue;
		st = set(settings, row, row->fallback, strlen(row->fallback),
			 (struct place){ "default", 0 }, arena);
		if (!status_ok(&st))
			return st;
	}
	return STATUS_OK;
}

struct status conf_set(void *settings, const struct conf_table *table, const char *name,
		       const char *value, struct arena *arena)
{
	const struct conf_row *row = conf_find(table, name);

	if (row == NULL)
		return fault(arena, (struct place){ "setting", 0 }, name, "is not known");
	return set(settings, row, value, strlen(value), (struct place){ "setting", 0 }, arena);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Leaves out blanks at both ends. */
static void trim(const char **start, const char **end)
{
	while (*start < *end && is_blank(**start))
		(*start)++;
	while (*end > *start && is_blank((*end)[-1]))
		(*end)--;
}

/* One line; given has a mark for each row that the file has set. */
static struct status parse_line(void *settings, const struct conf_table *table, bool *given,
				struct place place, const char *start, const char *end,
				struct arena *arena)
{
	const char *equals, *name_end, *value;
	const struct conf_row *row;

	trim(&start, &end);
	if (start == end || *start == '#')
		return STATUS_OK;
	equals = memchr(start, '=', (size_t)(end - start));
	if (equals == NULL)
		return fault(arena, place, "", "expected name = value");
	name_end = equals;
	trim(&start, &name_end);
	value = equals + 1;
	trim(&value, &end);
	row = find(table, start, (size_t)(name_end - start));
	if (row == NULL) {
		char *name = arena_strndup(arena, start, (size_t)(name_end - start));

		return fault(arena, place, name == NULL ? "" : name, "is not a setting");
	}
	if (given[row - table->rows])
		return fault(arena, place, row->name, "is given twice");
	given[row - table->rows] = true;
	return set(settings, row, value, (size_t)(end - value), place, arena);
}

struct status conf_parse(void *settings, const struct conf_table *table, const char *name,
			 const char *text, size_t len, struct arena *arena)
{
	bool given[CONF_ROWS_MAX] = { false };
	const char *at = text, *end = text + len;

	for (struct place place = { name, 1 }; at < end; place.line++) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		struct status st;

		if (line_end == NULL)
			line_end = end;
		st = parse_line(settings, table, given, place, at, line_end, arena);
		if (!status_ok(&st))
			return st;
		at = line_end + 1;
	}
	return STATUS_OK;
}

struct status conf_file(void *settings, const struct conf_table *table, const char *path,
			struct arena *arena)
{
	char *text = arena_alloc(arena, CONF_FILE_MAX + 1);
	struct status st = STATUS_OK;
	FILE *file = NULL;
	size_t len;

	if (text == NULL)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	file = fopen(path, "re");
	if (file == NULL) {
		st = fault(arena, (struct place){ path, 0 }, "", "cannot be opened");
		st.code = STATUS_CODE_NOT_FOUND;
		st.reason = "CONFIG_FILE";
		return st;
	}
	len = fread(text, 1, CONF_FILE_MAX + 1, file);
	if (ferror(file))
		st = fault(arena, (struct place){ path, 0 }, "", "cannot be read");
	else if (len > CONF_FILE_MAX)
		st = fault(arena, (struct place){ path, 0 }, "", "is longer than 64 KiB");
	fclose(file);
	return status_ok(&st) ? conf_parse(settings, table, path, text, len, arena) : st;
}

struct status conf_arguments(int *next, void *settings, const struct conf_table *table, int argc,
			     char *const *argv, struct arena *arena)
{
	int i = *next;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		const char *name = argv[i] + 2, *value = strchr(name, '=');
		size_t name_len = value == NULL ? strlen(name) : (size_t)(value - name);
		const struct conf_row *row = find(table, name, name_len);
		struct status st;

		if (name[0] == '\0') {
			i++;
			break;
		}
		if (row == NULL) {
			char *shown = arena_strndup(arena, argv[i], name_len + 2);

			return fault(arena, (struct place){ "argument", 0 },
				     shown == NULL ? "" : shown, "is not known");
		}
		if (value != NULL)
			value++;
		else if (row->type == CONF_BOOL)
			value = "true";
		else if (i + 1 < argc)
			value = argv[++i];
		else
			return fault(arena, (struct place){ "argument", 0 }, row->name,
				     "needs a value");
		st = set(settings, row, value, strlen(value), (struct place){ "argument", 0 },
			 arena);
		if (!status_ok(&st))
			return st;
	}
	*next = i;
	return STATUS_OK;
}
