/* The risk method as people read it: matrix, scales and limits. */
#include "client/cli/app.h"
#include "client/cli/command.h"
#include "client/cli/hooks.h"
#include "client/cli/output.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "isms/v1/catalog.pb-c.h"

enum { SCALE_MAX = 7 };

static void print_scale(const char *title, Isms__V1__ScaleStep *const *steps, size_t n)
{
	(void)printf("\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		(void)printf("  %zu  ", i + 1);
		text_print(stdout, steps[i]->label, TEXT_LINE);
		(void)fputs(*steps[i]->guide ? ": " : "", stdout);
		text_print(stdout, steps[i]->guide, TEXT_LINE);
		(void)fputc('\n', stdout);
	}
}

/* Rows are likelihoods, the highest first, as on paper. */
static void print_matrix(struct app *app, const Isms__V1__RiskCriteria *criteria)
{
	const char *headings[SCALE_MAX + 1] = { "likelihood \\ impact" };
	const char *cells[SCALE_MAX * (SCALE_MAX + 1)];
	size_t rows = criteria->n_likelihood, columns = criteria->n_impact, n = 0;
	if (rows > SCALE_MAX || columns > SCALE_MAX || criteria->n_matrix != rows * columns)
		return;
	for (size_t i = 0; i < columns; i++)
		headings[i + 1] = app_printf(app, "%zu", i + 1);
	for (size_t l = rows; l > 0; l--) {
		cells[n++] = app_printf(app, "%zu", l);
		for (size_t i = 0; i < columns; i++)
			cells[n++] = value_level((int)criteria->matrix[(l - 1) * columns + i]);
	}
	(void)fputc('\n', stdout);
	output_table(app, headings, columns + 1, cells, rows);
}

int method_print(struct app *app, const struct command *command, const ProtobufCMessage *message)
{
	const Isms__V1__RiskMethod *method =
		((const Isms__V1__GetActiveMethodResponse *)message)->method;
	const Isms__V1__RiskCriteria *criteria = method ? method->criteria : NULL;
	(void)command;
	if (!criteria)
		return app_error(CLI_INTERNAL, "the server's reply is empty");
	text_print(stdout, app_printf(app, "Method %d: %s", method->no, method->title), TEXT_LINE);
	(void)printf("\n  up to %s needs neither treatment nor acceptance\n",
		     value_level((int)criteria->appetite));
	(void)printf("  up to %s is bearable while a plan is on schedule\n",
		     value_level((int)criteria->tolerance));
	print_matrix(app, criteria);
	print_scale("likelihood", criteria->likelihood, criteria->n_likelihood);
	print_scale("impact", criteria->impact, criteria->n_impact);
	(void)puts("\nlimits");
	for (size_t i = 0; i < criteria->n_levels; i++)
		(void)printf("  %-10s accepted for at most %d days, reviewed every %d days\n",
			     value_level((int)criteria->levels[i]->level),
			     criteria->levels[i]->max_accept_days,
			     criteria->levels[i]->review_days);
	return CLI_DONE;
}
