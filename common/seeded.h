/* Bugs that are there on purpose, so that the checker can be checked: each is one
 * place in the code, marked SEEDED(name), and asleep in every build but one made with
 * -DISMS_SEEDED_BUGS=ON, which no release can be. There, the environment variable
 * ISMS_SEEDED_BUG names the one that is awake. See tests/checker/README.md. */
#ifndef ISMS_COMMON_SEEDED_H
#define ISMS_COMMON_SEEDED_H

#include <stdbool.h>

#ifdef ISMS_SEEDED_BUGS
#include <stdlib.h>
#include <string.h>

static inline bool seeded_bug(const char *name)
{
	const char *awake = getenv("ISMS_SEEDED_BUG");
	return awake != NULL && strcmp(awake, name) == 0;
}
#define SEEDED(name) seeded_bug(#name)
#else
#define SEEDED(name) false
#endif

#endif
