/* What is printed on stdout; see output.h. */
#include "client/cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/app.h"
#include "client/cli/field.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "client/cli/value.h"
#include "common/arena.h"
#include "common/pb.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isms/v1/common.pb-c.h"

static size_t terminal_width(const struct app *app)
{
	struct winsize size;
	if (!app->tty_out || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return SIZE_MAX;
	return size.ws_col;
}

/* Level cells are coloured too, never only. */
static const char *color_of(const char *cell)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[35m", "\033[1;31m" };
	for (int level = 1; level <= 4; level++) {
		const char *word = value_level(level);
		if (strncmp(cell, word, strlen(word)) == 0)
			return colors[level - 1];
	}
	return NULL;
}

static void print_cell(struct app *app, const char *cell, size_t width, bool last, size_t room)
{
	const char *color = app->color_out ? color_of(cell) : NULL;
	size_t taken = text_width(cell);
	if (color)
		(void)fputs(color, stdout);
	if (last && taken > room && room > 1)
		(void)printf("%.*s…", (int)text_head(cell, room - 1), cell);
	else
		(void)fputs(cell, stdout);
	if (color)
		(void)fputs("\033[0m", stdout);
	for (size_t pad = taken; !last && pad < width + 2; pad++)
		(void)fputc(' ', stdout);
}

void output_table(struct app *app, const char *const *headings, size_t n, const char *const *cells,
		  size_t n_rows)
{
	size_t widths[COLUMNS_MAX] = { 0 }, used = 0;
	size_t width = terminal_width(app);
	for (size_t c = 0; c < n; c++) {
		widths[c] = text_width(headings[c]);
		for (size_t r = 0; r < n_rows; r++) {
			size_t w = text_width(cells[r * n + c]);
			widths[c] = w > widths[c] ? w : widths[c];
		}
		used += c + 1 < n ? widths[c] + 2 : 0;
	}
	size_t room = width == SIZE_MAX ? SIZE_MAX : width > used + 8 ? width - used : 8;
	for (size_t c = 0; c < n; c++)
		print_cell(app, headings[c], widths[c], c + 1 == n, SIZE_MAX);
	(void)fputc('\n', stdout);
	for (size_t r = 0; r < n_rows; r++) {
		for (size_t c = 0; c < n; c++)
			print_cell(app, cells[r * n + c], widths[c], c + 1 == n, room);
		(void)fputc('\n', stdout);
	}
}

static const char *column_text(struct app *app, const struct column *column,
			       const ProtobufCMessage *row, bool exact)
{
	const char *text = value_at(app, row, column->path, exact);
	const char *slash = column->tail ? strrchr(text, '/') : NULL;
	return slash ? slash + 1 : text;
}

static const char *escaped(struct app *app, const char *text)
{
	char *out = text_escape(text, TEXT_LINE);
	if (!out)
		app_no_memory();
	const char *kept = app_strdup(app, out);
	free(out);
	return kept;
}

static void csv_row(struct app *app, const struct column *columns, size_t n,
		    const ProtobufCMessage *row)
{
	for (size_t c = 0; c < n; c++) {
		const char *text =
			row ? column_text(app, &columns[c], row, true) : columns[c].heading;
		if (c > 0)
			(void)fputc(',', stdout);
		text_csv(stdout, app->tty_out ? escaped(app, text) : text);
	}
	(void)fputs("\r\n", stdout);
}

void output_rows(struct app *app, const struct column *columns, size_t n,
		 const ProtobufCMessage *const *rows, size_t n_rows)
{
	if (app->format == FORMAT_CSV) {
		csv_row(app, columns, n, NULL);
		for (size_t r = 0; r < n_rows; r++)
			csv_row(app, columns, n, rows[r]);
		return;
	}
	const char **cells = app_array(app, const char *, n *n_rows + 1);
	const char *headings[COLUMNS_MAX];
	for (size_t c = 0; c < n; c++) {
		headings[c] = columns[c].heading;
		for (size_t r = 0; r < n_rows; r++)
			cells[r * n + c] =
				escaped(app, column_text(app, &columns[c], rows[r], false));
	}
	output_table(app, headings, n, cells, n_rows);
}

/* Copies the value at a dotted path of names from one object to another. */
static void pick(struct app *app, json_t *out, const json_t *from, const char *path)
{
	const char *dot = strchr(path, '.');
	size_t len = dot ? (size_t)(dot - path) : strlen(path);
	const char *name = json_name(app, app_strndup(app, path, len));
	json_t *value = json_object_get(from, name);
	if (!value)
		return;
	if (!dot || !json_is_object(value)) {
		if (json_object_set_nocheck(out, name, value) != 0)
			app_no_memory();
		return;
	}
	json_t *sub = json_object_get(out, name);
	if (!sub) {
		sub = json_object();
		if (!sub || json_object_set_new_nocheck(out, name, sub) != 0)
			app_no_memory();
	}
	pick(app, sub, value, dot + 1);
}

void output_json_rows(struct app *app, const struct column *columns, size_t n, bool picked,
		      const ProtobufCMessage *const *rows, size_t n_rows)
{
	json_t *list = json_array();
	for (size_t r = 0; r < n_rows; r++) {
		json_t *whole = json_from_message(app, rows[r]);
		json_t *out = whole;
		if (picked) {
			out = json_object();
			for (size_t c = 0; c < n; c++)
				pick(app, out, whole, columns[c].path);
			json_decref(whole);
		}
		if (!list || json_array_append_new(list, out) != 0)
			app_no_memory();
	}
	json_print(stdout, list);
	json_decref(list);
}

static size_t spec_columns(struct app *app, const char *spec, struct column *out)
{
	size_t n = 0;
	while (*spec && n < COLUMNS_MAX) {
		size_t len = strcspn(spec, " ");
		const char *word = app_strndup(app, spec, len);
		const char *equals = strchr(word, '=');
		size_t path_len = strcspn(equals + 1, "|");
		out[n++] = (struct column){
			.heading = app_strndup(app, word, (size_t)(equals - word)),
			.path = app_strndup(app, equals + 1, path_len),
			.tail = equals[1 + path_len] == '|',
		};
		spec += len + (spec[len] == ' ');
	}
	return n;
}

/* One name of --fields: a heading, or the path of a field. */
static int pick_column(const ProtobufCMessageDescriptor *type, const struct column *all,
		       size_t n_all, const char *name, struct column *out)
{
	for (size_t i = 0; i < n_all; i++)
		if (strcasecmp(all[i].heading, name) == 0) {
			*out = all[i];
			return CLI_DONE;
		}
	if (field_of_path(type, name)) {
		*out = (struct column){ .heading = name, .path = name };
		return CLI_DONE;
	}
	const char *near = field_nearest(type, name);
	app_error(CLI_USAGE, "there is no field %s to print", name);
	for (size_t i = 0; i < n_all && !near; i++)
		near = text_near(name, all[i].heading) ? all[i].heading : NULL;
	if (near)
		app_next("did you mean %s?", near);
	else
		app_next("-o json shows all fields");
	return CLI_USAGE;
}

int output_columns(struct app *app, const ProtobufCMessageDescriptor *type, const char *spec,
		   struct column *out, size_t *out_n)
{
	struct column all[COLUMNS_MAX];
	size_t n_all = 0, n = 0;
	if (spec)
		n_all = spec_columns(app, spec, all);
	for (unsigned i = 0; !spec && i < type->n_fields && n_all < COLUMNS_MAX; i++)
		all[n_all++] = (struct column){ .heading = type->fields[i].name,
						.path = type->fields[i].name };
	if (!*app->options.fields) {
		memcpy(out, all, sizeof all[0] * n_all);
		*out_n = n_all;
		return CLI_DONE;
	}
	for (const char *p = app->options.fields; *p && n < COLUMNS_MAX;) {
		size_t len = strcspn(p, ",");
		const char *name = app_strndup(app, p, len);
		int exit = pick_column(type, all, n_all, name, &out[n++]);
		if (exit)
			return exit;
		p += len + (p[len] == ',');
	}
	*out_n = n;
	return CLI_DONE;
}

/* "compensating controls" for compensating_control_ids. */
static const char *label(struct app *app, const char *name)
{
	char *out = app_strdup(app, name);
	size_t len = strlen(out);
	if (len > 5 && strcmp(out + len - 5, "y_ids") == 0)
		(void)snprintf(out + len - 5, 6, "ies");
	else if (len > 4 && strcmp(out + len - 4, "_ids") == 0)
		(void)snprintf(out + len - 4, 5, "s");
	else if (len > 3 && strcmp(out + len - 3, "_id") == 0)
		out[len - 3] = 0;
	for (char *p = out; *p; p++)
		if (*p == '_')
			*p = ' ';
	return out;
}

static bool is_inline(const ProtobufCFieldDescriptor *field)
{
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	const ProtobufCMessageDescriptor *type = field->descriptor;
	return type == &google__protobuf__timestamp__descriptor ||
	       type == &isms__v1__score__descriptor || strcmp(type->short_name, "PolicySteps") == 0;
}

static void print_field(struct app *app, const ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field, unsigned indent, int width)
{
	const char *name = label(app, field->name);
	bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
	if (is_inline(field)) {
		const char *text = value_at(app, message, field->name, false);
		const char *color = app->color_out ? color_of(text) : NULL;
		(void)printf("%*s%-*s  %s", (int)indent, "", width, name, color ? color : "");
		text_print_lines(stdout, text, indent + (unsigned)width + 2);
		(void)fputs(color ? "\033[0m" : "", stdout);
		return;
	}
	size_t n = many ? field_count(message, field) : 1;
	if (n == 0 || (!many && pb_is_default(message, field))) {
		(void)printf("%*s%-*s  -\n", (int)indent, "", width, name);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const void *value =
			many ? field_item(message, field, i) : pb_member(message, field);
		if (many)
			(void)printf("%*s%s %zu\n", (int)indent, "", name, i + 1);
		else
			(void)printf("%*s%s\n", (int)indent, "", name);
		output_object(app, *(ProtobufCMessage *const *)value, indent + 2);
	}
}

static void print_meta(struct app *app, const ProtobufCMessage *meta, unsigned indent, int width)
{
	const char *ref = pb_string(meta, "ref");
	(void)printf("%*s%-*s  ", (int)indent, "", width, *ref ? "ref" : "version");
	if (*ref)
		text_print(stdout, ref, TEXT_LINE);
	(void)printf("%s%lld\n", *ref ? " v" : "", (long long)pb_int(meta, "version"));
	(void)printf("%*s%-*s  ", (int)indent, "", width, "id");
	text_print(stdout, pb_string(meta, "id"), TEXT_LINE);
	(void)fputc('\n', stdout);
	for (int i = 0; i < 2; i++) {
		const char *by = i ? "updated_by" : "created_by";
		const char *at = i ? "updated_at" : "created_at";
		if (!pb_sub(meta, at))
			continue;
		(void)printf("%*s%-*s  %s by ", (int)indent, "", width, i ? "changed" : "created",
			     value_at(app, meta, at, false));
		text_print(stdout, value_at(app, meta, by, false), TEXT_LINE);
		(void)fputc('\n', stdout);
	}
}

void output_object(struct app *app, const ProtobufCMessage *message, unsigned indent)
{
	int width = 7;
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		int len = (int)strlen(label(app, message->descriptor->fields[i].name));
		width = len > width ? len : width;
	}
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (strcmp(field->name, "meta") == 0 && !pb_is_default(message, field))
			print_meta(app, pb_sub(message, "meta"), indent, width);
		else
			print_field(app, message, field, indent, width);
	}
}
