/* Values of settings as text. Units are whole multiples; numbers have no
 * fraction. */
#include "common/conf_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_TEXT = 48 };

/* Of both types, coarsest first. */
static const struct unit {
	enum conf_type type;
	const char *name;
	int64_t factor;
} units[] = {
	{ CONF_DURATION, "d", 86400 * CONF_SECOND },
	{ CONF_DURATION, "h", 3600 * CONF_SECOND },
	{ CONF_DURATION, "m", 60 * CONF_SECOND },
	{ CONF_DURATION, "s", CONF_SECOND },
	{ CONF_DURATION, "ms", 1000 },
	{ CONF_DURATION, "us", 1 },
	{ CONF_SIZE, "GiB", 1024 * CONF_MIB },
	{ CONF_SIZE, "MiB", CONF_MIB },
	{ CONF_SIZE, "KiB", CONF_KIB },
	{ CONF_SIZE, "B", 1 },
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static const struct unit *find_unit(enum conf_type type, const char *name)
{
	for (size_t i = 0; name != NULL && i < UNITS; i++) {
		if (units[i].type == type && strcmp(units[i].name, name) == 0)
			return &units[i];
	}
	return NULL;
}

bool conf_value_unit(const struct conf_row *row)
{
	return find_unit(row->type, row->unit) != NULL;
}

bool conf_value_bool(bool *out, const char *text)
{
	static const char *const names[] = { "false", "true", "no", "yes", "off", "on" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool conf_value_number(int64_t *out, const struct conf_row *row, const char *text)
{
	bool negative = *text == '-';
	const char *at = text + negative, *start = at;
	const struct unit *unit;
	int64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		int digit = negative ? '0' - *at : *at - '0';

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return false;
	}
	if (at == start)
		return false;
	if (row->type == CONF_INT) {
		if (*at != '\0')
			return false;
		*out = number;
		return true;
	}
	while (*at == ' ')
		at++;
	unit = find_unit(row->type, *at == '\0' ? row->unit : at);
	if (unit == NULL || __builtin_mul_overflow(number, unit->factor, &number))
		return false;
	*out = number;
	return true;
}

static bool bounded(const struct conf_row *row)
{
	return row->min != 0 || row->max != 0;
}

bool conf_value_within(const struct conf_row *row, int64_t number)
{
	if (!bounded(row))
		return row->type == CONF_INT || number >= 0;
	return number >= row->min && number <= row->max;
}

const char *conf_value_type(const struct conf_row *row)
{
	static const char *const names[] = {
		[CONF_STRING] = "text", [CONF_INT] = "number",        [CONF_BOOL] = "bool",
		[CONF_SIZE] = "size",   [CONF_DURATION] = "duration",
	};

	return names[row->type];
}

/* A number with the coarsest unit that shows all of it. */
static void format_number(char out[RANGE_TEXT], const struct conf_row *row, int64_t number)
{
	for (size_t i = 0; i < UNITS && number != 0; i++) {
		if (units[i].type == row->type && number % units[i].factor == 0) {
			snprintf(out, RANGE_TEXT, "%" PRId64 "%s", number / units[i].factor,
				 units[i].name);
			return;
		}
	}
	snprintf(out, RANGE_TEXT, "%" PRId64, number);
}

void conf_value_range(char out[CONF_VALUE_TEXT], const struct conf_row *row)
{
	char least[RANGE_TEXT], most[RANGE_TEXT];

	out[0] = '\0';
	if (!bounded(row) || row->type == CONF_BOOL)
		return;
	format_number(least, row, row->min);
	format_number(most, row, row->max);
	snprintf(out, CONF_VALUE_TEXT, "%s to %s%s", least, most,
		 row->type == CONF_STRING ? " bytes" : "");
}

void conf_value_expected(char out[CONF_VALUE_TEXT], const struct conf_row *row)
{
	static const char *const what[] = {
		[CONF_STRING] = "must be a text",
		[CONF_INT] = "must be a number",
		[CONF_BOOL] = "must be true or false",
		[CONF_DURATION] = "must be a duration such as 500ms, 30s or 5m",
		[CONF_SIZE] = "must be a size such as 512KiB or 8MiB",
	};
	char range[CONF_VALUE_TEXT];

	conf_value_range(range, row);
	snprintf(out, CONF_VALUE_TEXT, "%s%s%.100s", what[row->type],
		 range[0] == '\0' ? "" : ", from ", range);
}
