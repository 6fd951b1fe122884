/* Login names. Two spellings of one address are one account. */
#ifndef ISMS_DOMAIN_EMAIL_H
#define ISMS_DOMAIN_EMAIL_H

#include <stdbool.h>

struct arena;

/* Trimmed and in lower case, in the arena. Only ASCII letters have case here:
 * other letters are refused by email_valid. */
char *email_canonical(const char *email, struct arena *arena);

/* Whether a canonical address may be a login name: printable ASCII without
 * blanks, one @ with something on both sides. */
bool email_valid(const char *email);

#endif
