/* What decisions check about the fields of requests beyond the rules of the
 * proto: lists of ids, and what they refer to. */
#ifndef ISMS_DOMAIN_FIELDS_H
#define ISMS_DOMAIN_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "server/domain/facts.h"

/* A list of ids, each once; list and count are replaced, in the arena. */
void fields_unique(char ***list, size_t *n, struct arena *arena);
bool fields_has(char *const *list, size_t n, const char *id);
/* Adds an id unless it is there; the list is replaced, in the arena. */
void fields_add(char ***list, size_t *n, const char *id, struct arena *arena);
/* Whether after has an id that before has not. */
bool fields_grew(char *const *before, size_t n_before, char *const *after, size_t n_after);

/* INVALID_ARGUMENT on the field when an id of after, other than those of before,
 * is not a row of the set (of store.Found). */
STATUS_MUST_CHECK struct status fields_found(const struct facts *facts, const char *set,
					     const char *field, char *const *before,
					     size_t n_before, char *const *after, size_t n_after);

#endif
