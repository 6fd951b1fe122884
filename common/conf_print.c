/* Settings for people: --help and the manual, both read off the table. */
#include <string.h>

#include "common/conf.h"
#include "common/conf_value.h"

enum { HELP_COLUMN = 30 };

/* "--drain duration", or "--check" for a bool. */
static int print_argument(FILE *out, const struct conf_row *row)
{
	if (row->type == CONF_BOOL)
		return fprintf(out, "  --%s", row->name);
	return fprintf(out, "  --%s %s", row->name, conf_value_type(row));
}

void conf_print_help(FILE *out, const struct conf_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];
		char range[CONF_VALUE_TEXT];
		int width = print_argument(out, row);

		if (width < 0)
			return;
		if (width + 2 > HELP_COLUMN) {
			fputc('\n', out);
			width = 0;
		}
		fprintf(out, "%*s%s", HELP_COLUMN - width, "", row->help);
		conf_value_range(range, row);
		if (range[0] != '\0')
			fprintf(out, "; %s", range);
		if (row->fallback != NULL && row->fallback[0] != '\0')
			fprintf(out, " (default %s)", row->fallback);
		fputc('\n', out);
	}
}

/* A text in a cell: a bar would end it. */
static void print_cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

void conf_print_documentation(FILE *out, const struct conf_table *table)
{
	fputs("| Setting | Type | Default | Range | Unit | Meaning |\n"
	      "|---|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];
		char range[CONF_VALUE_TEXT];

		conf_value_range(range, row);
		fprintf(out, "| `%s` | %s | ", row->name, conf_value_type(row));
		if (row->fallback != NULL && row->fallback[0] != '\0')
			fprintf(out, "`%s`", row->fallback);
		fprintf(out, " | %s | %s | ", range, row->unit == NULL ? "" : row->unit);
		print_cell(out, row->help);
		fputs(" |\n", out);
	}
}
