/* Values of settings as text, for conf.c and conf_print.c. */
#ifndef ISMS_CONF_VALUE_H
#define ISMS_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"

enum { CONF_VALUE_TEXT = 160 };

bool conf_value_bool(bool *out, const char *text);
/* A number with or without a unit; false for anything else and on overflow. */
bool conf_value_number(int64_t *out, const struct conf_row *row, const char *text);
/* Whether a number (of a string: its length) is within the row's bounds. */
bool conf_value_within(const struct conf_row *row, int64_t number);
/* Whether the row's unit is one of its type. */
bool conf_value_unit(const struct conf_row *row);

/* "must be a duration from 1s to 5m". */
void conf_value_expected(char out[CONF_VALUE_TEXT], const struct conf_row *row);
/* "duration", and "1s to 5m" ("" without bounds). */
const char *conf_value_type(const struct conf_row *row);
void conf_value_range(char out[CONF_VALUE_TEXT], const struct conf_row *row);

#endif
