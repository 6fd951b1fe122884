/* Texts are UTF-8 without control characters by the time they come here. */
#include "server/domain/text.h"

#include <string.h>

bool text_blank(const char *text)
{
	return text[strspn(text, " \t\n")] == '\0';
}

bool text_in(const char *field, char *const *paths, size_t n_paths)
{
	for (size_t i = 0; i < n_paths; i++)
		if (strcmp(paths[i], field) == 0)
			return true;
	return false;
}
