/* Texts are UTF-8 without control characters by the time they come here. */
#include "server/domain/text.h"

#include <string.h>

bool text_blank(const char *text)
{
	return text[strspn(text, " \t\n")] == '\0';
}

bool text_in(const char *text, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}
