/* Questions about texts and lists of them. */
#ifndef ISMS_DOMAIN_TEXT_H
#define ISMS_DOMAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether nothing of it can be seen: empty, or only blanks, tabs and line
 * feeds. */
bool text_blank(const char *text);

/* Whether a list has this very text: a field among the paths of an update mask, a
 * permission among those of an access, a person among those behind an account. */
bool text_in(const char *text, char *const *list, size_t n);

#endif
