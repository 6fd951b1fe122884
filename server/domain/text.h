/* What the fields of a request leave open about texts. */
#ifndef ISMS_DOMAIN_TEXT_H
#define ISMS_DOMAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether nothing of it can be seen: empty, or only blanks, tabs and line
 * feeds. */
bool text_blank(const char *text);

/* Whether one of the paths of an update mask is this field. */
bool text_in(const char *field, char *const *paths, size_t n_paths);

#endif
