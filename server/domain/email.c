/* The database holds the same canonical form by a CHECK. */
#include "server/domain/email.h"

#include <string.h>

#include "common/arena.h"
#include "server/domain/must.h"

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *email_canonical(const char *email, struct arena *arena)
{
	size_t len = strlen(email);
	while (len > 0 && is_blank(email[len - 1]))
		len--;
	while (len > 0 && is_blank(*email)) {
		email++;
		len--;
	}
	char *out = must(arena_strndup(arena, email, len));
	for (char *c = out; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return out;
}

bool email_valid(const char *email)
{
	const char *at = strchr(email, '@');
	if (at == NULL || at == email || at[1] == '\0' || strchr(at + 1, '@') != NULL)
		return false;
	for (const char *c = email; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || (*c >= 'A' && *c <= 'Z'))
			return false;
	return true;
}
