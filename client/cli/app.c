/* Memory, messages and questions of the program; see app.h. */
#include "client/cli/app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/text.h"
#include "common/arena.h"

enum { LINE_TEXT_MAX = 8192 };

void app_no_memory(void)
{
	(void)fputs("error: out of memory\n", stderr);
	exit(CLI_INTERNAL);
}

void *app_alloc(struct app *app, size_t size)
{
	void *out = arena_alloc(app->arena, size ? size : 1);
	if (!out)
		app_no_memory();
	return out;
}

char *app_strndup(struct app *app, const char *text, size_t len)
{
	char *out = arena_strndup(app->arena, text, len);
	if (!out)
		app_no_memory();
	return out;
}

char *app_strdup(struct app *app, const char *text)
{
	return app_strndup(app, text, strlen(text));
}

char *app_printf(struct app *app, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		app_no_memory();
	char *out = app_strndup(app, text, (size_t)len);
	free(text);
	return out;
}

static void say(const char *head, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say(const char *head, const char *format, va_list args)
{
	char text[LINE_TEXT_MAX];
	(void)vsnprintf(text, sizeof text, format, args);
	(void)fflush(stdout);
	(void)fputs(head, stderr);
	text_print(stderr, text, TEXT_LINE);
	(void)fputc('\n', stderr);
}

int app_error(int exit, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("error: ", format, args);
	va_end(args);
	return exit;
}

void app_why(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("  ", format, args);
	va_end(args);
}

void app_next(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("  next: ", format, args);
	va_end(args);
}

int app_confirm(struct app *app, const char *question, const char *flag)
{
	if (app->options.yes)
		return CLI_DONE;
	if (!app->can_ask) {
		app_error(CLI_USAGE, "this needs a confirmation and there is nobody to ask");
		app_next("give %s", flag);
		return CLI_USAGE;
	}
	char answer[16] = "";
	(void)fflush(stdout);
	text_print(stderr, question, TEXT_LINE);
	(void)fputs(" [y/N] ", stderr);
	if (!fgets(answer, sizeof answer, stdin))
		(void)fputc('\n', stderr);
	answer[strcspn(answer, "\r\n")] = 0;
	if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return CLI_DONE;
	return app_error(CLI_NO, "not confirmed; nothing was changed");
}

int app_read(struct app *app, char **out, size_t *out_len, const char *path, size_t max)
{
	bool standard = strcmp(path, "-") == 0;
	if (standard && app->options.no_input)
		return app_error(CLI_USAGE, "--no-input forbids reading standard input");
	FILE *file = standard ? stdin : fopen(path, "re");
	if (!file)
		return app_error(CLI_USAGE, "cannot open %s: %s", path, strerror(errno));
	char *data = app_alloc(app, max + 2);
	size_t len = fread(data, 1, max + 1, file);
	bool bad = ferror(file);
	if (!standard)
		(void)fclose(file);
	if (bad)
		return app_error(CLI_USAGE, "cannot read %s", path);
	if (len > max)
		return app_error(CLI_USAGE, "%s is larger than %zu bytes", path, max);
	if (memchr(data, 0, len))
		return app_error(CLI_USAGE, "%s holds a NUL byte", path);
	data[len] = 0;
	*out = data;
	*out_len = len;
	return CLI_DONE;
}
